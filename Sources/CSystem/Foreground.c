// A program that a person works with, in the terminal of this one.
#define _GNU_SOURCE
#include "CSystem.h"
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

int opk_run_foreground(const char *path, const uint8_t *arguments, size_t length, int *status) {
    size_t count = 0;
    for (size_t at = 0; at < length; at++) count += arguments[at] == 0;
    char **argv = calloc(count + 1, sizeof *argv);
    if (argv == NULL) return ENOMEM;
    size_t at = 0;
    for (size_t index = 0; index < count; index++) {
        argv[index] = (char *)arguments + at;
        at += strlen(argv[index]) + 1;
    }
    // Ctrl-C means the program, as with system(3).
    struct sigaction ignore, interrupt, quit;
    memset(&ignore, 0, sizeof ignore);
    ignore.sa_handler = SIG_IGN;
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    sigset_t usual;
    sigemptyset(&usual);
    if (interrupt.sa_handler != SIG_IGN) sigaddset(&usual, SIGINT);
    if (quit.sa_handler != SIG_IGN) sigaddset(&usual, SIGQUIT);
    posix_spawnattr_t attributes;
    int error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        pid_t child;
        error = posix_spawnattr_setsigdefault(&attributes, &usual);
        if (error == 0) error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
        if (error == 0) error = posix_spawn(&child, path, NULL, &attributes, argv, environ);
        while (error == 0 && waitpid(child, status, 0) < 0)
            if (errno != EINTR) error = errno;
        posix_spawnattr_destroy(&attributes);
    }
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    free(argv);
    return error;
}
