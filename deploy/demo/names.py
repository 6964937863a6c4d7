"""Names of people who do not exist: surnames by their real frequency, given names made of characters in fashion.

A few percent bear a compound surname or a name of another people of China. A full name may by chance be somebody's;
names of the well known are left out.
"""

from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Final

from deploy.demo.draw import pick, weighted

MALE: Final = "M"
FEMALE: Final = "F"

# About the share of the population in ten-thousandths, rounded from published national counts of surnames.
_SURNAMES: Final = """
王710 李700 张660 刘520 陈460 杨310 黄230 赵230 吴200 周210 徐150 孙150 马130 朱130 胡120 郭120 何110 林110 高100 罗90
郑90 梁80 谢70 宋70 唐70 许70 韩60 冯60 邓60 曹60 彭55 曾55 肖55 田50 董50 袁50 潘48 于60 蒋47 蔡46 余46 杜45 叶44
程44 苏43 魏43 吕42 丁41 任40 沈40 姚40 卢40 姜39 崔38 钟38 谭37 陆37 汪36 范36 金35 石35 廖34 贾34 夏33 韦32 付31
方31 白30 邹30 孟30 熊29 秦29 邱28 江28 尹27 薛27 闫27 段26 雷26 侯25 龙25 史25 陶24 黎24 贺23 顾23 毛22 郝22 龚21
邵21 万20 钱20 严20 覃19 武19 戴18 莫18 孔17 向17 汤16
"""
_COMPOUND: Final = ("欧阳", "上官", "司徒", "司马", "诸葛", "皇甫", "尉迟", "令狐", "慕容", "端木", "夏侯", "东方")
# Surname pinyin for the local part of e-mail addresses; others use a neutral word.
PINYIN: Final = {
    "王": "wang", "李": "li", "张": "zhang", "刘": "liu", "陈": "chen", "杨": "yang", "黄": "huang", "赵": "zhao",
    "吴": "wu", "周": "zhou", "徐": "xu", "孙": "sun", "马": "ma", "朱": "zhu", "胡": "hu", "郭": "guo", "何": "he",
    "林": "lin", "高": "gao", "罗": "luo", "郑": "zheng", "梁": "liang", "谢": "xie", "宋": "song", "唐": "tang",
    "许": "xu", "韩": "han", "冯": "feng", "邓": "deng", "曹": "cao", "彭": "peng", "曾": "zeng", "肖": "xiao",
    "田": "tian", "董": "dong", "袁": "yuan", "潘": "pan", "于": "yu", "蒋": "jiang", "蔡": "cai",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Fashion:
    """Characters that parents of a time chose: the first and the second of two, and those that stand alone."""

    first: str
    second: str
    alone: str
    alone_share: float


_FASHIONS: Final[dict[tuple[str, bool], _Fashion]] = {
    # (sex, born in or after 1980)
    (MALE, False): _Fashion(
        first="建志国文永春德金玉明光海振世俊宏新成学兴庆绍长广景",
        second="军华平明民生林海清荣强山福忠贵祥武良才东涛斌元根发",
        alone="勇军强伟斌峰涛辉刚健毅超锋兵宁",
        alone_share=0.22,
    ),
    (FEMALE, False): _Fashion(
        first="秀玉桂淑春凤丽美金红月晓雪彩慧素翠小爱海兰惠亚冬菊",
        second="英兰珍华芳梅琴霞玲云莲香萍娟芬红燕凤花娥云珠琼荣敏",
        alone="敏静丽芳燕艳霞娟玲萍红梅莉琴颖",
        alone_share=0.24,
    ),
    (MALE, True): _Fashion(
        first="子浩宇俊嘉一泽梓天睿文家博明思晨志逸鹏承铭奕皓启少",
        second="轩然杰豪辰涵博洋航宇睿鑫凯阳霖瑞熙楠诚源哲翔森昊铭",
        alone="浩磊鹏洋凯帅晨阳旭超宁波鑫斌龙",
        alone_share=0.16,
    ),
    (FEMALE, True): _Fashion(
        first="雨思梓欣诗嘉雅子佳梦晓心若语静可紫芷依一婉书沐琪婧",
        second="涵怡琪萱婷悦彤妍瑶欣雯洁颖琳菲宁文馨茹雪倩蕾岚露媛",
        alone="婷静雪倩颖蕾欣悦琳佳洁雯莹瑶宁",
        alone_share=0.14,
    ),
}  # fmt: skip
_UYGHUR_GIVEN: Final = {
    MALE: ("艾力", "买买提", "阿卜力孜", "吐尔逊", "玉苏甫", "艾合买提", "库尔班", "阿不都拉", "依明", "木塔力甫"),
    FEMALE: (
        "阿依古丽",
        "古丽娜尔",
        "热依汗",
        "帕提古丽",
        "阿米娜",
        "茹仙古丽",
        "祖丽菲亚",
        "麦合拜提",
        "迪丽娜尔",
        "阿孜古丽",
    ),
}
_TIBETAN: Final = ("扎西", "次仁", "顿珠", "卓玛", "央金", "洛桑", "旺堆", "白玛", "达娃", "尼玛", "平措", "德吉")
_MONGOL: Final = {
    MALE: ("巴特尔", "苏和", "朝鲁", "阿古拉", "宝音", "达来", "额尔敦", "牧仁", "特木尔", "布和"),
    FEMALE: ("其其格", "乌云", "萨仁", "娜仁", "托娅", "乌日娜", "阿茹娜", "塔娜", "萨日娜", "格日勒"),
}
# Well-known names that the characters above could give.
_WELL_KNOWN: Final = """
李宁 李静 李军 李强 李明 王勇 王军 王强 王宁 王磊 王凯 王源 王浩 王超 王伟 张宁 张勇 张伟 张超 张静 张敏 张凯 刘洋
刘伟 刘刚 刘强 刘涛 刘敏 陈伟 陈龙 陈强 陈洁 陈静 马龙 马琳 马超 林丹 林强 郭涛 黄磊 黄渤 黄超 杨洋 杨颖 杨超 杨阳
孙杨 孙俪 周迅 周波 周冬雨 赵薇 赵丽颖 赵鹏 吴磊 吴倩 许凯 何洁 朱军 朱婷 朱洁静 刘诗雯 刘诗诗 张子枫 张雨霏 张雨绮
张一鸣 张家辉 张志东 张建国 刘国梁 刘永好 王俊凯 王一博 王思聪 王嘉尔 王健 王子文 王建国 王建民 李嘉诚 李宇春 李文亮
李一桐 李子柒 李玉 陈天桥 陈建斌 陈明 陈思诚 陈凯 林书豪 林志玲 林志颖 马思纯 马云 郭敬明 郭德纲 郭明 周鸿祎 周建平
徐峥 徐静蕾 徐志摩 孙红雷 胡海泉 胡明 何超 高晓松 高圆圆 罗永浩 罗志祥 郑爽 郑凯 郑秀文 梁静茹 谢文东 宋慧乔 宋佳
宋小宝 唐嫣 许家印 韩雪 冯小刚 邓超 邓亚萍 邓丽君 曹德旺 彭于晏 田亮 董明珠 董洁 袁泉 袁隆平 潘石屹 蒋欣 蔡明 余华
杜鹃 叶文洁 程浩 苏明 沈腾 姚明 姚晨 崔健 陆毅 汪涵 范明 金庸 贾玲 夏雨 白玉兰 孟非 秦海璐 江一燕 薛之谦 段奕宏 龙永图
莫言 孔令辉 戴建业 毛宁
"""
_NOT_THESE: Final = frozenset(_WELL_KNOWN.split())
_SURNAME_TEXTS: Final = tuple(item[0] for item in _SURNAMES.split())
_SURNAME_WEIGHTS: Final = tuple(accumulate(int(item[1:]) for item in _SURNAMES.split()))
_FIRST_FASHIONABLE_YEAR: Final = 1980
_COMPOUND_SHARE: Final = 0.006


def pick_name(rng: Random, *, sex: str, birth_year: int, province_code: str) -> str:
    """A full name (姓名) that fits sex, time of birth and, for some, the province (two digits of GB/T 2260)."""
    if province_code in _OF_PROVINCE and rng.random() < _OF_PROVINCE[province_code][0]:
        return _OF_PROVINCE[province_code][1](rng, sex)
    while True:
        name = _surname(rng) + _given(rng, sex, birth_year)
        if name not in _NOT_THESE:
            return name


def _surname(rng: Random) -> str:
    if rng.random() < _COMPOUND_SHARE:
        return pick(rng, _COMPOUND)
    return weighted(rng, _SURNAME_TEXTS, _SURNAME_WEIGHTS)


def _given(rng: Random, sex: str, birth_year: int) -> str:
    fashion = _FASHIONS[sex, birth_year >= _FIRST_FASHIONABLE_YEAR]
    if rng.random() < fashion.alone_share:
        return pick(rng, fashion.alone)
    return pick(rng, fashion.first) + pick(rng, fashion.second)


def _uyghur(rng: Random, sex: str) -> str:
    """Own name, then the father's (买买提·艾力)."""
    return f"{pick(rng, _UYGHUR_GIVEN[sex])}·{pick(rng, _UYGHUR_GIVEN[MALE])}"


def _tibetan(rng: Random, _sex: str) -> str:
    """Two names of two syllables (扎西顿珠)."""
    return "".join(rng.sample(_TIBETAN, 2))


def _mongol(rng: Random, sex: str) -> str:
    return pick(rng, _MONGOL[sex])


_OF_PROVINCE: Final = {
    "65": (0.45, _uyghur),
    "54": (0.80, _tibetan),
    "63": (0.20, _tibetan),
    "15": (0.15, _mongol),
}
