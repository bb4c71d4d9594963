import Testing
import SSHConfiguration

struct SSHConfigurationTests {}
