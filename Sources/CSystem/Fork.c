// A second process of the same program, which Swift cannot make.
#define _GNU_SOURCE
#include "CSystem.h"
#include <errno.h>
#include <signal.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

// Whose end is this process's; set before the copy is made.
static pid_t parent;

int opk_die_with_parent(int yes) {
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, yes ? SIGKILL : 0);
#else
    (void)yes;
#endif
    // Before the signal was asked for, it may have ended.
    return getppid() != parent;
}

pid_t opk_fork(void) {
    pid_t own = getpid(), before = parent;
    parent = own;
    pid_t child = fork();
    if (child != 0) {
        parent = before;
        return child;
    }
    if (opk_die_with_parent(1)) _exit(1);
    signal(SIGALRM, SIG_DFL);
    return 0;
}

pid_t opk_fork_with_channel(int *channel, unsigned seconds) {
    int ends[2];
    if (opk_socketpair(ends) != 0) return -1;
    pid_t child = opk_fork();
    if (child != 0) {
        int number = errno;
        close(ends[1]);
        if (child < 0) close(ends[0]);
        *channel = ends[0];
        errno = number;
        return child;
    }
    // Whoever reads what the first process writes must see its end when that ends.
    for (int standard = 0; standard <= 2; standard++) close(standard);
    close(ends[0]);
    *channel = ends[1];
    alarm(seconds);
    return 0;
}
