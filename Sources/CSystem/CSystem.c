#define _GNU_SOURCE // O_PATH, memmem
#include "CSystem.h"
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

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
