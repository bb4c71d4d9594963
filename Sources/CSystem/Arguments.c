// The arguments as the kernel gave them. Swift's CommandLine finds them by walking back from `environ`, and finds none once anything has
// changed the environment before main: a preloaded library does (libfaketime, for one).
#include "CSystem.h"

static int saved_count;
static char **saved_words;

// glibc and Apple's dyld hand main's arguments to constructors too.
__attribute__((constructor)) static void save_arguments(int count, char **words, char **environment) {
    (void)environment;
    saved_count = count;
    saved_words = words;
}

int opk_argument_count(void) { return saved_count; }

const char *opk_argument(int index) { return index >= 0 && index < saved_count ? saved_words[index] : 0; }
