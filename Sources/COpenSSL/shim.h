// OpenSSL's libcrypto as LibCrypto sees it. Macros that Swift cannot import get a static inline function here.
#pragma once
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

/// EVP_PKEY_PUBLIC_KEY and EVP_PKEY_KEYPAIR are macros made of macros, which Swift does not import.
static inline int opk_selection_public(void) { return EVP_PKEY_PUBLIC_KEY; }
static inline int opk_selection_keypair(void) { return EVP_PKEY_KEYPAIR; }
