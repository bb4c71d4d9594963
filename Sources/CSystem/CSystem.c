#include "CSystem.h"
#include <fcntl.h>
#include <syslog.h>

int opk_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

int opk_openat(int folder, const char *path, int flags, mode_t mode) { return openat(folder, path, flags, mode); }

void opk_syslog(int priority, const char *text) { syslog(priority, "%s", text); }
