// The terminal that a person sits at: how large it is, input that it does not show, and a wait that Ctrl-C ends cleanly.
#define _GNU_SOURCE
#include "CSystem.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

int opk_terminal_size(int descriptor, int *columns, int *rows) {
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return -1;
    *columns = size.ws_col;
    *rows = size.ws_row;
    return 0;
}

// Bracketed paste: the terminal says where what is pasted begins and ends, so that a line feed in it is not the person's Enter.
static const char pasteOn[] = "\033[?2004h";
static const char pasteOff[] = "\033[?2004l";

static void say(int descriptor, const char *words, size_t length) {
    ssize_t ignored = write(descriptor, words, length);
    (void)ignored;
}

static struct termios before;
static volatile sig_atomic_t hidden = -1;
static volatile sig_atomic_t marking;

int opk_terminal_hide_input(int descriptor, int marksPastes) {
    if (hidden >= 0 || tcgetattr(descriptor, &before) != 0) return -1;
    struct termios settings = before;
    settings.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL);
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    // A program that is stopped here would leave a terminal that shows nothing.
    settings.c_cc[VSUSP] = _POSIX_VDISABLE;
    hidden = descriptor;
    marking = marksPastes;
    if (tcsetattr(descriptor, TCSADRAIN, &settings) == 0) {
        if (marking) say(descriptor, pasteOn, sizeof pasteOn - 1);
        return 0;
    }
    hidden = -1;
    return -1;
}

// Whether the terminal is still this job's: where ssh waited for us and a Ctrl-C ended it first, a shell has it already, has set it up for itself, and
// must be left alone.
static int isOurs(int descriptor) {
    pid_t foreground = tcgetpgrp(descriptor);
    return foreground < 0 || foreground == getpgrp();
}

// What is left of a paste would be the shell's next commands: it is thrown away until the terminal is quiet, however long that takes, since who
// pastes a file over a slow line waits for it anyway, and a closed terminal ends it. No bytes for 100 ms is quiet; once some have come, for 400 ms. Only
// what POSIX allows in a signal handler.
static void restore(int descriptor) {
    if (!isOurs(descriptor)) return;
    // A Ctrl-C in the paste is thrown away like the rest: it would end this, and the shell would get what follows it.
    struct termios deaf;
    if (tcgetattr(descriptor, &deaf) == 0) {
        deaf.c_lflag &= ~(tcflag_t)ISIG;
        tcsetattr(descriptor, TCSANOW, &deaf);
    }
    struct pollfd input = {.fd = descriptor, .events = POLLIN};
    struct timespec begun, now;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    char rest[4096];
    int quiet = 100, isSaid = 0;
    for (;;) {
        int ready = poll(&input, 1, quiet);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0 || read(descriptor, rest, sizeof rest) <= 0) break;
        quiet = 400;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (isSaid || now.tv_sec - begun.tv_sec < 3) continue;
        static const char words[] = "\r\nopk: a paste goes on, and is thrown away until it ends\r\n";
        say(STDERR_FILENO, words, sizeof words - 1);
        isSaid = 1;
    }
    if (!isOurs(descriptor)) return;
    if (marking) say(descriptor, pasteOff, sizeof pasteOff - 1);
    // With what came between the last read and now.
    tcsetattr(descriptor, TCSAFLUSH, &before);
    tcflush(descriptor, TCIFLUSH);
}

void opk_terminal_show_input(void) {
    if (hidden < 0) return;
    restore((int)hidden);
    hidden = -1;
}

static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { WATCHED = sizeof watched / sizeof watched[0] };
static struct sigaction usual[WATCHED];
static char lastWords[256];
static size_t lastWordsLength;
static volatile sig_atomic_t watching;

// Only what POSIX allows in a handler.
static void ended(int number) {
    if (hidden >= 0) restore((int)hidden);
    if (hidden < 0 || isOurs((int)hidden)) say(STDERR_FILENO, lastWords, lastWordsLength);
    // The process ends by the signal itself, so that a shell's script ends with it, too. SA_RESETHAND has made it the default again.
    raise(number);
}

void opk_interrupt_watch(const uint8_t *words, size_t length) {
    if (watching) return;
    lastWordsLength = length < sizeof lastWords ? length : sizeof lastWords;
    memcpy(lastWords, words, lastWordsLength);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = ended;
    action.sa_flags = (int)(SA_RESETHAND | SA_NODEFER);
    sigfillset(&action.sa_mask);
    for (int index = 0; index < WATCHED; index++) {
        sigdelset(&action.sa_mask, watched[index]);
    }
    for (int index = 0; index < WATCHED; index++) {
        sigaction(watched[index], NULL, &usual[index]);
        // Who started us wants the signal ignored: nohup(1), a shell's background job.
        if (usual[index].sa_handler == SIG_DFL) sigaction(watched[index], &action, NULL);
    }
    watching = 1;
}

void opk_interrupt_unwatch(void) {
    if (!watching) return;
    for (int index = 0; index < WATCHED; index++)
        if (usual[index].sa_handler == SIG_DFL) sigaction(watched[index], &usual[index], NULL);
    watching = 0;
}
