import Testing
import CIToken

struct CITokenTests {}
