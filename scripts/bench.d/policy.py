"""Row 10: what the rest of the policy costs: deny lists, requirements and a row's options; a token with a thousand groups against long lists of them."""
import table
from measure import Case

FULL, FEW, MANY = "deny lists, 2 rules, options", "few groups", "1,000 groups"
GROUPS = 1000

# Each is looked at, none forbids, and each of the rules holds.
CONFIG = """deny_users: [postgres, www-data]
deny_emails: [mallory@example.com, eve@example.com]
deny_groups: [contractors-ended, suspended]
require:
  - accounts: [{account}, deploy]
    groups: [{group}, oncall]
  - accounts: ["*"]
    verified_email: true
    hours: "00:00-12:00 12:00-00:00 UTC"
    except_break_glass: true
"""
OPTIONS = 'expires="2099-12-24T18:00Z",claim="email_verified:true",reason="CHG-881",restrict,pty'


def group(number):
    return f"team-{number:04}"


def published(place):
    """The published policy with all of this in it."""
    vector = place.vector
    etc = place.shared / "opkssh-vectors/etc"
    config = CONFIG.format(account=vector["user"], group="ssh-users")
    rows = "".join(
        f"{line} {OPTIONS}\n" if line.startswith(f"{vector['user']} alice@example.com") else line + "\n"
        for line in (etc / "auth_id").read_text().splitlines())
    return {"auth_id": rows, "config.yml": config}


def with_groups(place, person):
    """Long lists of groups, of which the last of each is this person's, or none."""
    denied = "".join(f"  - gone-{number:04}\n" for number in range(GROUPS))
    rules = "".join(
        f"  - accounts: {accounts}\n    groups: [{', '.join([f'{name}-{number}' for number in range(20)] + [group(GROUPS - 1)])}]\n"
        for accounts, name in ((f"[{person.user}]", "release"), ('["*"]', "staff")))
    files = person.policy(place)
    rows = "".join(f"{person.user} oidc:groups:other-{number:04} {person.issuer}\n" for number in range(99))
    files["auth_id"] += rows + f"{person.user} oidc:groups:{group(GROUPS - 1)} {person.issuer}\n"
    files["config.yml"] = f"deny_groups:\n{denied}require:\n{rules}" + "env_vars:" + files["config.yml"].split("env_vars:")[1]
    return files


def cases(place, published_cache, people, both, both_cache):
    """With the answer that each must give. `people`: one with few groups and one with many, or none."""
    vector = place.vector
    shown = [vector["user"], vector["cert"], vector["key_type"]]
    folder = place.configuration("etc-policy", published(place))
    yield Case(FULL, place.call(folder, published_cache, *shown), place.work), vector["line"].replace(" ", ",restrict,pty ", 1)
    if people:
        plain, member = people
        yield Case(FEW, place.call(both, both_cache, plain.user, plain.certificate, plain.key_type), place.work), plain.line
        folder = place.configuration("etc-groups", with_groups(place, member))
        yield Case(MANY, place.call(folder, both_cache, member.user, member.certificate, member.key_type), place.work), member.line


def rows(samples, warm, why):
    part = "10 whole policy"
    yield table.at_most(part, FULL, "wall", samples[FULL], samples[warm], warm, None)
    if why:
        yield table.skipped(part, MANY, why)
    else:
        yield table.more(part, f"{MANY} against long lists", samples[MANY], samples[FEW], FEW, 0.003)
