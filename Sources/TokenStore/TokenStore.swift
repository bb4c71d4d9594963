/// Where refresh tokens are kept.
public struct TokenStore {}
