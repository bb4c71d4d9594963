#define _GNU_SOURCE
#include "CSystem.h"
#include <errno.h>
#include <sys/types.h>

#ifdef __linux__
#include <sys/xattr.h>

/// The value of one attribute, from the file of that name to the open one. 0 also where there is none to be copied.
static int copy(const char *name, const char *from, int to) {
    char value[4096];
    ssize_t size = lgetxattr(from, name, value, sizeof value);
    if (size < 0) return errno == ENODATA || errno == ENOTSUP || errno == ENOENT || errno == ENOSYS ? 0 : -1;
    return fsetxattr(to, name, value, (size_t)size, 0);
}

int opk_copy_attributes(const char *from, int to) {
    // A label that may not be set is the one that the system gives to new files in that folder, which is the same unless somebody took pains.
    (void)copy("security.selinux", from, to);
    return copy("system.posix_acl_access", from, to);
}
#else
int opk_copy_attributes(const char *from, int to) {
    (void)from;
    (void)to;
    return 0;
}
#endif
