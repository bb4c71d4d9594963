import Login
import Testing

struct RelyingPartyTests {}
