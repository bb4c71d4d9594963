// One line at the end of a file that others append to as well. May be called in a signal handler: nothing but system calls that POSIX calls
// async-signal-safe, and fallocate(2) and fstatfs(2), which are nothing but one.
#define _GNU_SOURCE
#include "CSystem.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/vfs.h>
#else
#include <sys/mount.h>
#endif

// Room on the disk beyond the end, in bytes: taken AHEAD bytes at a time where less than NEAR are left. More than many writers at once may need.
#define NEAR (64 << 10)
#define AHEAD (256 << 10)

// So that a disk that fills up does so here, where nothing has been written, and not in the middle of a line. A file system that cannot do it goes without.
static int reserve(int file, const struct stat *facts) {
#ifdef __linux__
    if ((off_t)facts->st_blocks * 512 >= facts->st_size + NEAR) return 0;
    if (fallocate(file, FALLOC_FL_KEEP_SIZE, facts->st_size, AHEAD) == 0) return 0;
    return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? errno : 0;
#else
    (void)file, (void)facts;
    return 0;
#endif
}

static int ends_with_a_line(int file, off_t end) {
    char last;
    return end <= 0 || pread(file, &last, 1, end - 1) != 1 || last == '\n';
}

// Less than `spare` bytes of the disk are left to those without privileges, or than a sixteenth of a small disk.
static int is_nearly_full(int file, int64_t spare) {
    struct statfs disk;
    if (spare <= 0 || fstatfs(file, &disk) != 0) return 0;
    uint64_t left = (uint64_t)disk.f_bavail;
    return left < (uint64_t)disk.f_blocks / 16 && left < (uint64_t)spare / ((uint64_t)disk.f_bsize ? (uint64_t)disk.f_bsize : 1);
}

int opk_audit_append(int file, const struct iovec *line, int count, int64_t largest, int64_t spare) {
    struct iovec parts[OPK_AUDIT_PARTS + 1] = {{"\n", 1}};
    if (count < 1 || count > OPK_AUDIT_PARTS) return EINVAL;
    ssize_t length = 0;
    for (int index = 0; index < count; index++) {
        parts[index + 1] = line[index];
        length += (ssize_t)line[index].iov_len;
    }
    struct stat facts;
    if (fstat(file, &facts) != 0) return errno;
    if (facts.st_size + length > largest) return EFBIG;
    if (is_nearly_full(file, spare)) return ENOSPC;
    int error = reserve(file, &facts);
    if (error != 0) return error;
    int isTorn = !ends_with_a_line(file, facts.st_size);
    for (;;) {
        ssize_t written = isTorn ? writev(file, parts, count + 1) : writev(file, parts + 1, count);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        if (written != length + isTorn) return ENOSPC;
        if (isTorn) return 0;
        // Where others wrote in between, one of them may have been torn there, and this line hangs on to its piece: then once more, on a line of its own.
        off_t end = lseek(file, 0, SEEK_CUR);
        if (end < 0 || end - length == facts.st_size || ends_with_a_line(file, end - length)) return 0;
        isTorn = 1;
    }
}

int opk_audit_append_line(int file, const uint8_t *line, size_t length, int64_t largest, int64_t spare) {
    struct iovec part = {(void *)line, length};
    return opk_audit_append(file, &part, 1, largest, spare);
}
