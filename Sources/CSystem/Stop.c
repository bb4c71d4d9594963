// A program that goes on until it is told to stop (SIGTERM, SIGINT), and then does so within a second, with nothing half done. What it does is atomic
// already; this sees to it that a thing that cannot be asked for twice is not lost either.
#include "CSystem.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t state = OPK_STOP_AT_ONCE;
static volatile sig_atomic_t wanted = 0;
static volatile sig_atomic_t graceIsOver = 0;

static void leave(void) {
    static const char words[] = "opk: stopped\n";
    if (write(STDERR_FILENO, words, sizeof words - 1) < 0) { /* Nobody listens. */ }
    _exit(0);
}

static void stop(int number) {
    int before = errno;
    if (number == SIGALRM) graceIsOver = 1;
    if (number != SIGALRM) wanted = 1;
    if (state == OPK_STOP_AT_ONCE || (state == OPK_STOP_SOON && graceIsOver && wanted)) leave();
    if (number != SIGALRM && state == OPK_STOP_SOON) {
        struct itimerval grace = {{0, 0}, {0, 700000}};
        setitimer(ITIMER_REAL, &grace, NULL);
    }
    errno = before;
}

int opk_stop_catch(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = stop;
    action.sa_flags = SA_RESTART;
    sigfillset(&action.sa_mask);
    int failed = sigaction(SIGTERM, &action, NULL) | sigaction(SIGINT, &action, NULL) | sigaction(SIGALRM, &action, NULL);
    action.sa_handler = SIG_IGN;
    failed |= sigaction(SIGPIPE, &action, NULL);
    // Whoever started the program may have had them blocked, and a child inherits that.
    sigset_t unblocked;
    sigemptyset(&unblocked);
    sigaddset(&unblocked, SIGTERM);
    sigaddset(&unblocked, SIGINT);
    sigaddset(&unblocked, SIGALRM);
    failed |= pthread_sigmask(SIG_UNBLOCK, &unblocked, NULL);
    return failed == 0 ? 0 : -1;
}

void opk_stop_set(int next) {
    state = next;
    if (wanted && (next == OPK_STOP_AT_ONCE || (next == OPK_STOP_SOON && graceIsOver))) leave();
}

void opk_sleep_until(int64_t seconds) {
    // By the wall clock, and no longer than half a minute without a look at it: a laptop that slept wakes up late for CLOCK_MONOTONIC.
    for (;;) {
        struct timespec now;
        if (clock_gettime(CLOCK_REALTIME, &now) != 0 || now.tv_sec >= seconds) return;
        int64_t left = seconds - now.tv_sec;
        struct timespec nap = {left < 30 ? (time_t)left : 30, 0};
        nanosleep(&nap, NULL);
    }
}
