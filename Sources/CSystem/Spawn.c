// posix_spawn with what a doorman wants: no shell, no inherited descriptor, signal or session.
#define _GNU_SOURCE
#include "CSystem.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

extern char **environ;

// argv or envp for strings that lie one behind the other, each ended by NUL; NULL when memory is short.
static char **table(const uint8_t *bytes, size_t length) {
    size_t count = 0;
    for (size_t at = 0; at < length; at++) count += bytes[at] == 0;
    char **pointers = calloc(count + 1, sizeof *pointers);
    if (pointers == NULL) return NULL;
    size_t at = 0;
    for (size_t index = 0; index < count; index++) {
        pointers[index] = (char *)bytes + at;
        at += strlen(pointers[index]) + 1;
    }
    return pointers;
}

// A copy above 0, 1 and 2 (where one of those was closed, a pipe may have landed on them), or of /dev/null.
static int above_standard(int descriptor) {
    int copy = descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    if (copy >= 0) return copy;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || null > 2) return null;
    copy = fcntl(null, F_DUPFD_CLOEXEC, 3);
    close(null);
    return copy;
}

static int set_attributes(posix_spawnattr_t *attributes) {
    sigset_t all, none;
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    sigemptyset(&none);
    short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID;
#ifdef POSIX_SPAWN_CLOEXEC_DEFAULT
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
    int error = posix_spawnattr_setsigdefault(attributes, &all);
    if (error == 0) error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0) error = posix_spawnattr_setflags(attributes, flags);
    return error;
}

static int set_descriptors(posix_spawn_file_actions_t *actions, const int standard[3]) {
    int error = 0;
    for (int index = 0; error == 0 && index < 3; index++)
        error = standard[index] < 0 ? EMFILE : posix_spawn_file_actions_adddup2(actions, standard[index], index);
#ifdef __linux__
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(actions, 3);
#endif
    return error;
}

int opk_spawn(
    pid_t *pid, const char *path, const uint8_t *arguments, size_t argumentsLength, const uint8_t *environment,
    size_t environmentLength, int input, int output, int errors) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&actions) != 0) return ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    const int standard[3] = {above_standard(input), above_standard(output), above_standard(errors)};
    char **argv = table(arguments, argumentsLength), **envp = table(environment, environmentLength);
    int error = argv == NULL || envp == NULL ? ENOMEM : set_attributes(&attributes);
    if (error == 0) error = set_descriptors(&actions, standard);
    if (error == 0) error = posix_spawn(pid, path, &actions, &attributes, argv, envp);
    for (int index = 0; index < 3; index++)
        if (standard[index] >= 0) close(standard[index]);
    free(argv);
    free(envp);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

int opk_become(
    const char *path, const uint8_t *arguments, size_t argumentsLength, const uint8_t *environment, size_t environmentLength) {
    char **argv = table(arguments, argumentsLength), **envp = table(environment, environmentLength);
    if (argv == NULL || envp == NULL) return ENOMEM;
    opk_watchdog_set(0, 0);
    // What is ignored stays ignored.
    const int ignored[3] = {SIGPIPE, SIGXFSZ, SIGCHLD};
    for (int index = 0; index < 3; index++) signal(ignored[index], SIG_DFL);
    execve(path, argv, envp);
    return errno;
}

int opk_pidfd(pid_t pid) {
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, pid, 0);
#else
    (void)pid;
    return -1;
#endif
}

int opk_pidfd_signal(int pidfd, int signal) {
#ifdef SYS_pidfd_send_signal
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
#else
    (void)pidfd;
    (void)signal;
    errno = ENOSYS;
    return -1;
#endif
}

int opk_has_ended(pid_t pid) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int result;
    do result = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -1 : info.si_pid == pid;
}

int opk_pipe(int ends[2]) {
#ifdef __linux__
    return pipe2(ends, O_CLOEXEC);
#else
    if (pipe(ends) != 0) return -1;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
#endif
}

int opk_socketpair(int ends[2]) {
#ifdef __linux__
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
#else
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return -1;
    for (int index = 0; index < 2; index++) {
        int yes = 1;
        fcntl(ends[index], F_SETFD, FD_CLOEXEC);
        setsockopt(ends[index], SOL_SOCKET, SO_NOSIGPIPE, &yes, sizeof yes);
    }
    return 0;
#endif
}

ssize_t opk_send(int socket, const uint8_t *bytes, size_t length) {
#ifdef MSG_NOSIGNAL
    return send(socket, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
#else
    return send(socket, bytes, length, MSG_DONTWAIT);
#endif
}

const char *opk_environment(size_t index) {
    for (size_t at = 0; environ != NULL && environ[at] != NULL; at++)
        if (at == index) return environ[at];
    return NULL;
}
