// Counters that processes share: a file of one page, mapped. Every change is one atomic instruction, so there is no lock that somebody could hold, and
// a process killed at any moment leaves nothing half done.
#define _GNU_SOURCE
#include "CSystem.h"
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct opk_tally {
    _Atomic uint64_t layout;
    _Atomic int64_t full[OPK_TALLY_BUCKETS]; // when the bucket will be full again, in milliseconds since this machine started
    _Atomic int64_t since;                   // the first of what is counted, in seconds since 1970; 0: nothing is
    _Atomic uint64_t counts[OPK_TALLY_COUNTS];
    _Atomic int64_t lost_since; // of the audit log's events: the first that could not be written; 0: none
    _Atomic uint64_t lost;
};
_Static_assert(sizeof(struct opk_tally) <= OPK_TALLY_SIZE, "a tally is one page");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "shared between processes: no hidden lock");

struct opk_tally *opk_tally_open(const char *path, uint64_t layout) {
    int file = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0) return 0;
    struct stat facts;
    struct opk_tally *tally = MAP_FAILED;
    if (fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_uid == geteuid() && (facts.st_mode & 077) == 0 && facts.st_nlink == 1
        && facts.st_size == OPK_TALLY_SIZE)
        tally = mmap(0, OPK_TALLY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (tally == MAP_FAILED) return 0;
    uint64_t found = atomic_load(&tally->layout);
    // Another version's counts mean nothing here. Who comes first empties it.
    if (found != layout && atomic_compare_exchange_strong(&tally->layout, &found, layout)) {
        for (int index = 0; index < OPK_TALLY_COUNTS; index++) atomic_store(&tally->counts[index], 0);
        atomic_store(&tally->since, 0);
    }
    return tally;
}

static int64_t milliseconds(void) {
    struct timespec now;
    // A clock that nobody sets.
#ifdef CLOCK_BOOTTIME
    clock_gettime(CLOCK_BOOTTIME, &now);
#else
    clock_gettime(CLOCK_MONOTONIC, &now);
#endif
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int opk_tally_take_token(struct opk_tally *tally, unsigned bucket, int64_t interval, int64_t burst) {
    if (bucket >= OPK_TALLY_BUCKETS) return 1;
    int64_t now = milliseconds(), full = atomic_load(&tally->full[bucket]);
    for (;;) {
        // Full, or from before the machine was started again, or nonsense: no bucket takes longer than this to fill.
        int64_t begin = full < now || full > now + interval * burst ? now : full;
        if (begin + interval > now + interval * burst) return 0;
        if (atomic_compare_exchange_weak(&tally->full[bucket], &full, begin + interval)) return 1;
    }
}

void opk_tally_add(struct opk_tally *tally, unsigned index, uint64_t count, int64_t since) {
    if (index >= OPK_TALLY_COUNTS) return;
    int64_t nothing = 0;
    atomic_compare_exchange_strong(&tally->since, &nothing, since);
    atomic_fetch_add(&tally->counts[index], count);
}

int opk_tally_has_counts(const struct opk_tally *tally) {
    for (int index = 0; index < OPK_TALLY_COUNTS; index++)
        if (atomic_load_explicit(&tally->counts[index], memory_order_relaxed) != 0) return 1;
    return 0;
}

uint64_t opk_tally_take_count(struct opk_tally *tally, unsigned index) {
    return index < OPK_TALLY_COUNTS ? atomic_exchange(&tally->counts[index], 0) : 0;
}

int64_t opk_tally_take_since(struct opk_tally *tally) { return atomic_exchange(&tally->since, 0); }

void opk_tally_lose(struct opk_tally *tally, uint64_t count, int64_t since) {
    int64_t nothing = 0;
    atomic_compare_exchange_strong(&tally->lost_since, &nothing, since);
    atomic_fetch_add(&tally->lost, count);
}

uint64_t opk_tally_take_lost(struct opk_tally *tally, int64_t *since) {
    if (atomic_load_explicit(&tally->lost, memory_order_relaxed) == 0) return 0;
    uint64_t count = atomic_exchange(&tally->lost, 0);
    // Another may have taken them in between, and the time of those that came since.
    if (count > 0) *since = atomic_exchange(&tally->lost_since, 0);
    return count;
}
