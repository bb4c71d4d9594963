#define _GNU_SOURCE // O_PATH, memmem, memrchr
#include "CSystem.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

int opk_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

int opk_openat(int folder, const char *path, int flags, mode_t mode) { return openat(folder, path, flags, mode); }

int opk_open_folder(const char *path) {
#ifdef O_PATH
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
#else
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
#endif
}

int opk_open_folder_at(int folder, const char *name) {
#ifdef O_PATH
    return openat(folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
#else
    return openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
#endif
}

#if defined(__linux__) && defined(SYS_renameat2)
static int rename_with(int folder, const char *name, const char *newName, unsigned flag) {
    return (int)syscall(SYS_renameat2, folder, name, folder, newName, flag);
}
#else
static int rename_with(int folder, const char *name, const char *newName, unsigned flag) {
    (void)folder, (void)name, (void)newName, (void)flag;
    errno = ENOSYS;
    return -1;
}
#endif

int opk_rename_fresh(int folder, const char *name, const char *newName) {
    if (rename_with(folder, name, newName, 1) == 0) return 0; // RENAME_NOREPLACE
    if (errno != EINVAL && errno != ENOSYS) return -1;
    return linkat(folder, name, folder, newName, 0) != 0 ? -1 : unlinkat(folder, name, 0);
}

int opk_rename_over(int folder, const char *name, const char *newName) {
    if (rename_with(folder, name, newName, 2) == 0) return 0; // RENAME_EXCHANGE
    if (errno != EINVAL && errno != ENOSYS) return -1;
    struct stat facts;
    return fstatat(folder, newName, &facts, AT_SYMLINK_NOFOLLOW) != 0 ? -1 : renameat(folder, name, folder, newName);
}

int opk_open_standard_descriptors(void) {
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        if (fcntl(descriptor, F_GETFD) >= 0) continue;
        if (open("/dev/null", O_RDWR) != descriptor) return -1;
    }
    return 0;
}

const char *opk_own_folder(void) {
    static char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0 || length >= (ssize_t)sizeof path - 1) return NULL;
    path[length] = 0;
    char *slash = strrchr(path, '/');
    if (slash == NULL) return NULL;
    slash[1] = 0;
    return path;
}

int opk_contains(const uint8_t *text, size_t length, const uint8_t *piece, size_t pieceLength) {
    return memmem(text, length, piece, pieceLength) != NULL;
}

ptrdiff_t opk_find(const uint8_t *text, ptrdiff_t start, ptrdiff_t end, const uint8_t *piece, size_t pieceLength) {
    if (start < 0 || start > end) return -1;
    const uint8_t *found = memmem(text + start, (size_t)(end - start), piece, pieceLength);
    return found == NULL ? -1 : found - text;
}

ptrdiff_t opk_last_line(const uint8_t *text, ptrdiff_t start, ptrdiff_t end) {
#ifdef __GLIBC__
    const uint8_t *found = end > start ? memrchr(text + start, '\n', (size_t)(end - start)) : NULL;
    return found == NULL ? start : found - text + 1;
#else
    while (end > start && text[end - 1] != '\n') end--;
    return end;
#endif
}
