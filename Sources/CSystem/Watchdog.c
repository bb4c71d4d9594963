// The end of a process that has taken too long, whatever it is waiting for.
#define _GNU_SOURCE
#include "CSystem.h"
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

// Two, so that a signal always finds one that is whole.
static struct last_words {
    char before[4096], after[1024];
    size_t before_length, after_length;
    int priority, status, hasStep;
} words[2] = {{.status = 1}, {.status = 1}};
static volatile sig_atomic_t current, step = 1;

// Decimal digits of a number that is not negative; where they begin in `buffer`, which ends there.
static char *digits(char *buffer, size_t size, unsigned long number) {
    char *at = buffer + size;
    do *--at = (char)('0' + number % 10);
    while ((number /= 10) != 0 && at > buffer);
    return at;
}

// Nothing but functions that POSIX calls async-signal-safe. Without a time stamp, which a log server then makes: localtime(3) is no such function.
static void speak_and_end(int signal) {
    (void)signal;
    const struct last_words *last = &words[current];
    if (last->before_length > 0) {
        char priority[8], process[24], at[8];
        char *priorityText = digits(priority, sizeof priority, (unsigned long)last->priority);
        char *processText = digits(process, sizeof process, (unsigned long)getpid());
        char *stepText = digits(at, sizeof at, (unsigned long)step);
        struct iovec text[3] = {
            {(void *)last->before, last->before_length},
            {stepText, last->hasStep ? (size_t)(at + sizeof at - stepText) : 0},
            {(void *)last->after, last->after_length}};
        struct iovec line[9] = {
            {"<", 1},
            {priorityText, (size_t)(priority + sizeof priority - priorityText)},
            {">opk-verify[", 12},
            {processText, (size_t)(process + sizeof process - processText)},
            {"]: ", 3}, text[0], text[1], text[2]};
        opk_log_words(line, 8);
        struct termios settings;
        if (tcgetattr(STDERR_FILENO, &settings) == 0) {
            for (int index = 0; index < 3; index++)
                if (write(STDERR_FILENO, text[index].iov_base, text[index].iov_len) < 0) break;
            if (write(STDERR_FILENO, "\n", 1) < 0) _exit(last->status);
        }
    }
    _exit(last->status);
}

static int on(int signal) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = speak_and_end;
    sigfillset(&action.sa_mask);
    return sigaction(signal, &action, 0);
}

#ifdef __linux__
// A process that waits for a dead file server runs no handler, and ends for nothing but a signal that cannot be caught.
static timer_t killer;
static int has_killer;
#endif

void opk_watchdog_start(unsigned seconds, unsigned graceMilliseconds) {
    on(SIGALRM);
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    // Whoever called may have blocked it.
    sigprocmask(SIG_UNBLOCK, &alarm, 0);
#ifdef __linux__
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGKILL;
    has_killer = timer_create(CLOCK_MONOTONIC, &event, &killer) == 0;
#endif
    opk_watchdog_set(seconds, graceMilliseconds);
}

void opk_watchdog_set(unsigned seconds, unsigned graceMilliseconds) {
    struct itimerval end = {.it_value = {.tv_sec = (time_t)seconds}};
    setitimer(ITIMER_REAL, &end, 0);
#ifdef __linux__
    struct itimerspec last = {
        .it_value = {
            .tv_sec = (time_t)(seconds + graceMilliseconds / 1000), .tv_nsec = (long)(graceMilliseconds % 1000) * 1000000}};
    if (has_killer) timer_settime(killer, 0, &last, 0);
#else
    (void)graceMilliseconds;
#endif
}

void opk_watchdog_catch_bus_errors(void) { on(SIGBUS); }

static size_t copied(char *to, size_t size, const uint8_t *from, size_t length) {
    if (length > size) length = size;
    if (length > 0) memcpy(to, from, length);
    return length;
}

void opk_last_words(
    int priority, const uint8_t *before, size_t beforeLength, const uint8_t *after, size_t afterLength, int hasStep, int status) {
    int next = !current;
    struct last_words *last = &words[next];
    last->before_length = copied(last->before, sizeof last->before, before, beforeLength);
    last->after_length = copied(last->after, sizeof last->after, after, afterLength);
    last->priority = priority;
    last->hasStep = hasStep;
    last->status = status;
    // The handler runs in this very thread: only the compiler has to keep the order.
    __asm__ volatile("" ::: "memory");
    current = next;
}

void opk_last_words_step(int number) { step = number; }
