#define _GNU_SOURCE // O_PATH
#include "CSystem.h"
#include <fcntl.h>
#include <syslog.h>

int opk_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

int opk_openat(int folder, const char *path, int flags, mode_t mode) { return openat(folder, path, flags, mode); }

int opk_open_folder(const char *path) {
#ifdef O_PATH
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
#else
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
#endif
}

void opk_syslog(int priority, const char *text) { syslog(priority, "%s", text); }
