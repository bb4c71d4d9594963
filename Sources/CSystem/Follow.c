// A program that shows what comes until somebody ends it, and then says something more.
#include "CSystem.h"
#include <signal.h>
#include <string.h>
#include <time.h>

static volatile sig_atomic_t noted = 0;
static struct sigaction before[3];
static sigset_t mask_before;
static const int numbers[3] = {SIGINT, SIGTERM, SIGHUP};

static void note(int number) {
    (void)number;
    noted = 1;
}

void opk_follow_begin(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    // The next one does what it does by default: output that is stuck must not keep the process.
    action.sa_flags = SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    noted = 0;
    // Whoever started this may have had them blocked, and a child inherits that.
    sigset_t ours;
    sigemptyset(&ours);
    for (int index = 0; index < 3; index++) sigaddset(&ours, numbers[index]);
    sigprocmask(SIG_UNBLOCK, &ours, &mask_before);
    for (int index = 0; index < 3; index++) {
        sigaction(numbers[index], NULL, &before[index]);
        // nohup and a shell's background jobs have some ignored, and that stays.
        if (before[index].sa_handler != SIG_IGN) sigaction(numbers[index], &action, NULL);
    }
}

void opk_follow_end(void) {
    for (int index = 0; index < 3; index++) sigaction(numbers[index], &before[index], NULL);
    sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

int opk_follow_wait(int milliseconds) {
    struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    // One that comes right before is seen a pause later.
    if (!noted) nanosleep(&pause, NULL);
    return noted ? 1 : 0;
}

int opk_follow_noted(void) { return noted ? 1 : 0; }
