import Testing
import TokenStore

struct TokenStoreTests {}
