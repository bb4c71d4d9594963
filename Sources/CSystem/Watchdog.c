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

// Likewise.
static struct last_event {
    char text[8192];
    size_t before_time, before_step, after;
    int isSet, file, hasStep;
    int64_t largest, spare;
} events[2];
static volatile sig_atomic_t current_event;

// Decimal digits of a number that is not negative; where they begin in `buffer`, which ends there.
static char *digits(char *buffer, size_t size, unsigned long number) {
    char *at = buffer + size;
    do *--at = (char)('0' + number % 10);
    while ((number /= 10) != 0 && at > buffer);
    return at;
}

// Two digits or more, in front of what stands at `at`.
static char *padded(char *at, unsigned long number, int width) {
    while (width-- > 0 || number != 0) {
        *--at = (char)('0' + number % 10);
        number /= 10;
    }
    return at;
}

// RFC 3339 in UTC, to the microsecond: gmtime(3) is not for signal handlers. The calendar begins with March (Howard Hinnant's algorithm).
static size_t time_stamp(char stamp[40], struct timespec now) {
    unsigned long days = (unsigned long)now.tv_sec / 86400 + 719468, rest = (unsigned long)now.tv_sec % 86400;
    unsigned long era = days / 146097, day = days % 146097;
    unsigned long year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    unsigned long month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5;
    month = month < 10 ? month + 3 : month - 9;
    char text[40], *end = text + sizeof text, *at = end;
    *--at = 'Z';
    at = padded(at, (unsigned long)now.tv_nsec / 1000, 6), *--at = '.';
    at = padded(at, rest % 60, 2), *--at = ':';
    at = padded(at, rest / 60 % 60, 2), *--at = ':';
    at = padded(at, rest / 3600, 2), *--at = 'T';
    at = padded(at, day + 1, 2), *--at = '-';
    at = padded(at, month, 2), *--at = '-';
    at = padded(at, year + era * 400 + (month <= 2), 4);
    memcpy(stamp, at, (size_t)(end - at));
    return (size_t)(end - at);
}

static void append_last_event(void) {
    struct last_event *last = &events[current_event];
    if (!last->isSet) return;
    char stamp[40], number[8];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    // The step's number comes behind its part, in the room that is left there.
    char *text = last->text, *stepText = digits(number, sizeof number, (unsigned long)step);
    size_t stepLength = last->hasStep ? (size_t)(number + sizeof number - stepText) : 0;
    size_t middle = last->before_time + last->before_step;
    memmove(text + middle + stepLength, text + middle, last->after);
    memcpy(text + middle, stepText, stepLength);
    struct iovec line[3] = {
        {text, last->before_time},
        {stamp, time_stamp(stamp, now)},
        {text + last->before_time, last->before_step + stepLength + last->after}};
    opk_audit_append(last->file, line, 3, last->largest, last->spare);
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
    append_last_event();
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

void opk_last_words_audit(
    int file, int64_t largest, int64_t spare, const uint8_t *beforeTime, size_t beforeTimeLength, const uint8_t *beforeStep,
    size_t beforeStepLength, const uint8_t *after, size_t afterLength, int hasStep) {
    int next = !current_event;
    struct last_event *last = &events[next];
    last->isSet = 0;
    // A time stamp and a step's number come on top.
    if (file >= 0 && beforeTimeLength + beforeStepLength + afterLength + 64 <= sizeof last->text) {
        last->before_time = copied(last->text, sizeof last->text, beforeTime, beforeTimeLength);
        last->before_step = copied(last->text + beforeTimeLength, sizeof last->text, beforeStep, beforeStepLength);
        last->after = copied(last->text + beforeTimeLength + beforeStepLength, sizeof last->text, after, afterLength);
        last->hasStep = hasStep;
        last->largest = largest;
        last->spare = spare;
        last->file = file;
        last->isSet = 1;
    }
    __asm__ volatile("" ::: "memory");
    current_event = next;
}
