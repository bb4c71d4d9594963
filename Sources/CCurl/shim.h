// libcurl as HTTP sees it. curl_easy_setopt and curl_easy_getinfo are variadic, which Swift cannot call:
// one wrapper for each type of argument.
#pragma once
#include <curl/curl.h>
#include <curl/header.h>

#if LIBCURL_VERSION_NUM < 0x075500
#error "libcurl 7.85 or later is needed (CURLOPT_PROTOCOLS_STR)"
#endif

typedef size_t (*opk_curl_writer)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode opk_curl_set_long(CURL *curl, CURLoption option, long value) {
    return curl_easy_setopt(curl, option, value);
}
static inline CURLcode opk_curl_set_offset(CURL *curl, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(curl, option, value);
}
/// The text is copied by libcurl, except for CURLOPT_POSTFIELDS (use CURLOPT_COPYPOSTFIELDS).
static inline CURLcode opk_curl_set_text(CURL *curl, CURLoption option, const char *value) {
    return curl_easy_setopt(curl, option, value);
}
static inline CURLcode opk_curl_set_pointer(CURL *curl, CURLoption option, void *value) {
    return curl_easy_setopt(curl, option, value);
}
static inline CURLcode opk_curl_set_writer(CURL *curl, opk_curl_writer writer) {
    return curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, writer);
}
static inline CURLcode opk_curl_set_headers(CURL *curl, struct curl_slist *headers) {
    return curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
}
static inline CURLcode opk_curl_get_long(CURL *curl, CURLINFO info, long *value) {
    return curl_easy_getinfo(curl, info, value);
}
/// The text belongs to the handle and lives until its next transfer.
static inline CURLcode opk_curl_get_text(CURL *curl, CURLINFO info, const char **value) {
    return curl_easy_getinfo(curl, info, value);
}
/// A header of the last answer, or NULL. The text belongs to the handle and lives until its next transfer.
static inline const char *opk_curl_header(CURL *curl, const char *name) {
    struct curl_header *header = NULL;
    return curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : NULL;
}
/// Do not wait for a name that is still being looked up when the deadline has passed (7.87 and later).
static inline void opk_curl_set_quick_exit(CURL *curl) {
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
#else
    (void)curl;
#endif
}
