#define _GNU_SOURCE // O_PATH
#include "CSystem.h"
#include <fcntl.h>
#include <syslog.h>
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

void opk_syslog(int priority, const char *text) { syslog(priority, "%s", text); }

int opk_open_standard_descriptors(void) {
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        if (fcntl(descriptor, F_GETFD) >= 0) continue;
        if (open("/dev/null", O_RDWR) != descriptor) return -1;
    }
    return 0;
}
