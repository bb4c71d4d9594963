/// The agent at SSH_AUTH_SOCK (draft-ietf-sshm-ssh-agent).
public struct SSHAgent {}
