// The last refusals, in a file of fixed slots that processes share: no lock, no waiting. Who writes takes the next number of its kind by one atomic
// instruction and writes that slot. Two who meet in one slot, or a process that is killed, leave a slot whose check does not fit, and that is passed over.
#define _GNU_SOURCE
#include "CSystem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct slot {
    uint64_t check;
    uint64_t number;
    int64_t time;
    uint64_t length;
    uint8_t text[OPK_RING_TEXT];
};

struct ring {
    _Atomic uint64_t next[OPK_RING_KINDS];
    uint8_t unused[4096 - OPK_RING_KINDS * 8];
    struct slot slots[OPK_RING_KINDS][OPK_RING_SLOTS];
};
_Static_assert(sizeof(struct slot) == 1024, "a slot is 1 KiB");
_Static_assert(sizeof(struct ring) == OPK_RING_SIZE, "the file's size");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "shared between processes: no hidden lock");

// FNV-1a over words of 8 bytes; another version of the layout begins with another number.
static uint64_t check(const struct slot *slot) {
    uint64_t hash = 0xCBF29CE484222325 ^ 1, word;
    const uint8_t *bytes = (const uint8_t *)slot + sizeof slot->check;
    size_t count = offsetof(struct slot, text) - sizeof slot->check + (slot->length + 7) / 8 * 8;
    for (size_t index = 0; index < count; index += 8) {
        memcpy(&word, bytes + index, 8);
        hash = (hash ^ word) * 0x100000001B3;
        hash ^= hash >> 29;
    }
    return hash;
}

static int is_ring(int file, uid_t owner) {
    struct stat facts;
    return fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) && (facts.st_uid == owner || owner == (uid_t)-1) && (facts.st_mode & 077) == 0
        && facts.st_nlink == 1 && facts.st_size == OPK_RING_SIZE;
}

int opk_ring_write(const char *path, unsigned kind, int64_t time, const uint8_t *text, size_t length) {
    if (kind >= OPK_RING_KINDS) return -1;
    int file = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0) return -1;
    struct ring *ring = MAP_FAILED;
    if (is_ring(file, geteuid())) ring = mmap(0, OPK_RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (ring == MAP_FAILED) return -1;
    // Made here and copied whole, so that what others see changes in as short a time as can be.
    struct slot new;
    new.number = atomic_fetch_add(&ring->next[kind], 1);
    new.time = time;
    new.length = length < OPK_RING_TEXT ? length : OPK_RING_TEXT;
    memcpy(new.text, text, new.length);
    memset(new.text + new.length, 0, (8 - new.length % 8) % 8);
    new.check = check(&new);
    memcpy(&ring->slots[kind][new.number % OPK_RING_SLOTS], &new, offsetof(struct slot, text) + (new.length + 7) / 8 * 8);
    munmap(ring, OPK_RING_SIZE);
    return 0;
}

int opk_ring_read(const char *path, uint8_t *bytes) {
    int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0) return errno;
    int result = is_ring(file, (uid_t)-1) ? 0 : EBADF;
    size_t done = 0;
    while (result == 0 && done < OPK_RING_SIZE) {
        ssize_t count = pread(file, bytes + done, OPK_RING_SIZE - done, (off_t)done);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) result = count < 0 ? errno : EBADF;
        else done += (size_t)count;
    }
    close(file);
    return result;
}

int opk_ring_slot(const uint8_t *bytes, unsigned kind, unsigned index, struct opk_ring_entry *entry) {
    if (kind >= OPK_RING_KINDS || index >= OPK_RING_SLOTS) return 0;
    struct slot slot;
    memcpy(&slot, bytes + offsetof(struct ring, slots) + (kind * OPK_RING_SLOTS + index) * sizeof slot, sizeof slot);
    if (slot.length > OPK_RING_TEXT || slot.check != check(&slot)) return 0;
    entry->number = slot.number;
    entry->time = slot.time;
    entry->length = (size_t)slot.length;
    memcpy(entry->text, slot.text, entry->length);
    return 1;
}
