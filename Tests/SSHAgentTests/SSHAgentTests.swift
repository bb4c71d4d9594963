import Testing
import SSHAgent

struct SSHAgentTests {}
