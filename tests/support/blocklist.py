"""The rule by which `api/identity/common-passwords.txt` is made: `python -m tests.support.blocklist` prints it."""

MIN = 15
ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertyuiopasdfghjklzxcvbnm", "abcdefghijklmnopqrstuvwxyz")
COLUMNS = (
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "1q2w3e4r5t6y7u8i9o0p",
    "zaq1xsw2cde3vfr4bgt5nhy6mju7",
)
WORDS = [
    "password",
    "passwort",
    "passw0rd",
    "p@ssword",
    "p@ssw0rd",
    "admin",
    "administrator",
    "root",
    "welcome",
    "letmein",
    "login",
    "access",
    "secret",
    "changeme",
    "default",
    "qwerty",
    "qwertz",
    "azerty",
    "iloveyou",
    "sunshine",
    "princess",
    "dragon",
    "monkey",
    "football",
    "baseball",
    "superman",
    "batman",
    "shadow",
    "master",
    "michael",
    "jordan",
    "hello",
    "freedom",
    "whatever",
    "trustno1",
    "starwars",
    "computer",
    "internet",
    "server",
    "network",
    "system",
    "security",
    "manager",
    "operator",
    "approver",
    "auditor",
    "officer",
    "casework",
    "banking",
    "bank",
    "finance",
    "money",
    "credit",
    "account",
    "customer",
    "service",
    "office",
    "winter",
    "spring",
    "summer",
    "autumn",
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "monday",
    "friday",
    "sunday",
    "china",
    "beijing",
    "shanghai",
    "guangzhou",
    "shenzhen",
    "hangzhou",
    "chengdu",
    "woaini",
    "woaini1314",
    "wodemima",
    "mima",
    "mimamima",
    "zhongguo",
    "yinhang",
    "gongshang",
    "jianshe",
    "nongye",
    "zhaoshang",
    "jiaotong",
    "xinyongka",
    "fenqi",
    "huankuan",
    "daikuan",
    "guanliyuan",
    "caozuoyuan",
    "shenpi",
    "yonghu",
    "denglu",
    "nihao",
    "nihaoma",
    "xiexie",
    "zhangsan",
    "lisi",
    "wangwu",
    "test",
    "testing",
    "tester",
    "demo",
    "example",
    "sample",
    "user",
    "guest",
    "company",
    "temp",
    "temporary",
]
TAILS = (
    "123456789012345",
    "012345678901234",
    "111111111111111",
    "000000000000000",
    "888888888888888",
    "666666666666666",
    "123123123123123",
    "987654321098765",
    "!!!!!!!!!!!!!!!",
    "20242025202620",
    "20262026202620",
    "520131452013145",
)


def entries() -> list[str]:
    """Every entry, in order."""
    found: set[str] = set()
    for walk in (*ROWS, *COLUMNS):
        for one in (walk, walk[::-1]):
            circle = one * 4
            found |= {circle[start : start + length] for start in range(len(one)) for length in range(MIN, 21)}
    for word in WORDS:
        repeated = word * MIN
        found |= {repeated[: len(word) * times] for times in range(2, MIN) if MIN <= len(word) * times <= 30}
        found |= {repeated[:MIN], repeated[:16], repeated[:18], repeated[:20]}
        for tail in TAILS:
            for length in (15, 16):
                if len(word) < length:
                    found |= {(word + tail)[:length], (tail[: length - len(word)] + word)}
        found |= {word + other for other in WORDS if len(word + other) == MIN and word < other}
    for year in range(1950, 2031):
        found |= {f"{year}0101" * 2, f"{year}" * 4, f"{year}1231" * 2, f"0101{year}" * 2}
    for sign in "abcdefghijklmnopqrstuvwxyz0123456789!@#$%*.":
        found |= {sign * length for length in range(MIN, 21)}
    return sorted(entry for entry in found if len(entry) >= MIN)


def text() -> str:
    """The file."""
    head = "# Passwords that are tried first; made by rule (tests/support/blocklist.py), one folded entry a line.\n"
    return head + "".join(f"{entry}\n" for entry in entries())


if __name__ == "__main__":
    print(text(), end="")
