// The kernel's keyrings (keyrings(7), user-keyring(7)), by raw system calls: the C library has no functions for them.
#include "CSystem.h"
#include <errno.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/keyctl.h>
#include <sys/syscall.h>

// Everything for whoever possesses the key and for its user; nothing for its group and for others.
#define OWN_PERMISSIONS 0x3f3f0000

// Possession makes what add_key puts there ours to set permissions of. A session that systemd made need not have @u in it; this process's own keyring, which
// ends with it, may always be given a link.
static void possess(void) { syscall(SYS_keyctl, KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_PROCESS_KEYRING); }

static long find(const char *description) {
    return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, "user", description, 0);
}

int opk_keyring_set(const char *description, const uint8_t *bytes, size_t length, unsigned seconds) {
    possess();
    long key = syscall(SYS_add_key, "user", description, bytes, length, KEY_SPEC_USER_KEYRING);
    if (key < 0) return errno;
    int error = 0;
    if (syscall(SYS_keyctl, KEYCTL_SETPERM, key, OWN_PERMISSIONS) != 0) error = errno;
    if (error == 0 && syscall(SYS_keyctl, KEYCTL_SET_TIMEOUT, key, seconds) != 0) error = errno;
    // A secret with other permissions than wanted is not left there.
    if (error != 0) syscall(SYS_keyctl, KEYCTL_UNLINK, key, KEY_SPEC_USER_KEYRING);
    return error;
}

ssize_t opk_keyring_get(const char *description, uint8_t *bytes, size_t size) {
    possess();
    long key = find(description);
    if (key < 0) return -1;
    return syscall(SYS_keyctl, KEYCTL_READ, key, bytes, size);
}

int opk_keyring_remove(const char *description) {
    possess();
    long key = find(description);
    if (key < 0) return errno;
    return syscall(SYS_keyctl, KEYCTL_UNLINK, key, KEY_SPEC_USER_KEYRING) == 0 ? 0 : errno;
}

int opk_keyring_probe(void) {
    possess();
    // Its description: asks for a look at the keyring, and makes it where this user has none yet.
    return syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_USER_KEYRING, 0, 0) >= 0 ? 0 : errno;
}

long opk_keyring_permissions(const char *description) {
    long key = find(description);
    if (key < 0) return -1;
    char text[256];
    long length = syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, text, sizeof text);
    if (length <= 0 || (size_t)length > sizeof text) return -1;
    // type;uid;gid;permissions;description
    int field = 0;
    long value = 0;
    for (long at = 0; at < length && text[at] != 0; at++) {
        if (text[at] == ';') {
            field++;
        } else if (field == 3) {
            char digit = text[at];
            value = value * 16 + (digit <= '9' ? digit - '0' : digit - 'a' + 10);
        }
    }
    return value;
}
#else
int opk_keyring_set(const char *description, const uint8_t *bytes, size_t length, unsigned seconds) {
    (void)description, (void)bytes, (void)length, (void)seconds;
    return ENOSYS;
}
ssize_t opk_keyring_get(const char *description, uint8_t *bytes, size_t size) {
    (void)description, (void)bytes, (void)size;
    errno = ENOSYS;
    return -1;
}
int opk_keyring_remove(const char *description) {
    (void)description;
    return ENOSYS;
}
int opk_keyring_probe(void) { return ENOSYS; }
long opk_keyring_permissions(const char *description) {
    (void)description;
    return -1;
}
#endif
