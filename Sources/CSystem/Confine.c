// What a process gives up for good: resources, descriptors, new privileges, and (Landlock) most of the file system and the network.
#define _GNU_SOURCE
#include "CSystem.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

// Lowers the hard limit too. Never raises one: the process may have been started with less.
static int lower(int resource, uint64_t most) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0) return -1;
    rlim_t value = (rlim_t)most < limit.rlim_max ? (rlim_t)most : limit.rlim_max;
    if (limit.rlim_cur < value) value = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max = value;
    return setrlimit(resource, &limit);
}

int opk_lower_limits(const struct opk_limits *limits) {
    int failed = lower(RLIMIT_CORE, 0);
    failed |= lower(RLIMIT_AS, limits->memory);
    failed |= lower(RLIMIT_NOFILE, limits->descriptors);
    failed |= lower(RLIMIT_CPU, limits->cpuSeconds);
    failed |= lower(RLIMIT_FSIZE, limits->fileSize);
    return failed == 0 ? 0 : -1;
}

int opk_forbid_new_processes(void) { return lower(RLIMIT_NPROC, 0); }

void opk_close_from(int first) {
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0) return;
#endif
    // Before Linux 5.9, and elsewhere. Descriptors lie below the limit, unless it was lowered after they were opened.
    struct rlimit limit;
    int end = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536 ? (int)limit.rlim_cur : 65536;
    for (int descriptor = first; descriptor < end; descriptor++) close(descriptor);
}

int opk_hide_memory(void) {
#ifdef __linux__
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#else
    return 0;
#endif
}

int opk_no_new_privileges(void) {
#ifdef __linux__
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#else
    return 0;
#endif
}

// Landlock. The kernel's own header may be older than the kernel, so its numbers stand here (linux/landlock.h; the same on every architecture).
#define CREATE_RULESET 444
#define ADD_RULE 445
#define RESTRICT_SELF 446
#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH 1

struct ruleset {
    uint64_t handled_files;
    uint64_t handled_network; // from ABI 4
    uint64_t scoped;          // from ABI 6
};

struct path_beneath {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

// What can be allowed on something that is no directory.
#define FILE_RIGHTS (OPK_FS_EXECUTE | OPK_FS_WRITE_FILE | OPK_FS_READ_FILE | OPK_FS_TRUNCATE | OPK_FS_IOCTL_DEVICE)

// The rights that a kernel of this ABI knows.
static uint64_t known_rights(int abi) {
    if (abi >= 5) return (1ULL << 16) - 1; // IOCTL_DEV
    if (abi >= 3) return (1ULL << 15) - 1; // TRUNCATE
    return abi == 2 ? (1ULL << 14) - 1 : (1ULL << 13) - 1; // REFER
}

int opk_landlock_abi(void) {
#ifdef __linux__
    long abi = syscall(CREATE_RULESET, (void *)0, (size_t)0, CREATE_RULESET_VERSION);
    return abi < 0 ? 0 : (int)abi;
#else
    return 0;
#endif
}

int opk_landlock_ruleset(int abi, int mayConnect) {
#ifdef __linux__
    // TCP: bind is 1, connect is 2. Scopes: abstract unix sockets 1, signals 2.
    struct ruleset rules = {known_rights(abi), abi >= 4 ? (mayConnect ? 1 : 3) : 0, abi >= 6 ? 3 : 0};
    size_t size = abi >= 6 ? sizeof rules : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
    return (int)syscall(CREATE_RULESET, &rules, size, 0U);
#else
    (void)abi, (void)mayConnect;
    errno = ENOSYS;
    return -1;
#endif
}

int opk_landlock_allow(int ruleset, int abi, const char *path, uint64_t rights) {
#ifdef __linux__
    int place = open(path, O_PATH | O_CLOEXEC);
    // What cannot be reached now is not needed, and stays denied.
    if (place < 0) return errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP || errno == ENAMETOOLONG ? 0 : -1;
    struct path_beneath rule = {rights & known_rights(abi), place};
    int result = (int)syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0U);
    // No directory: what can be allowed only on those is left out.
    if (result != 0 && errno == EINVAL && (rule.allowed & ~FILE_RIGHTS) != 0) {
        rule.allowed &= FILE_RIGHTS;
        result = (int)syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0U);
    }
    int number = errno;
    close(place);
    errno = number;
    return result;
#else
    (void)ruleset, (void)abi, (void)path, (void)rights;
    errno = ENOSYS;
    return -1;
#endif
}

int opk_landlock_restrict(int ruleset) {
#ifdef __linux__
    return (int)syscall(RESTRICT_SELF, ruleset, 0U);
#else
    (void)ruleset;
    errno = ENOSYS;
    return -1;
#endif
}
