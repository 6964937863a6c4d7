"""Addresses down to the room, and employers, both made up to fit the region."""

from random import Random
from typing import Final

from deploy.demo.draw import between, pick
from deploy.demo.regions import Region

_ROADS: Final = (
    "人民路", "建设路", "解放路", "中山路", "和平路", "新华路", "文化路", "光明路", "朝阳路", "滨河路", "学府路",
    "体育路", "青年路", "长江路", "黄河路", "迎宾大道", "科技大道", "友谊路", "胜利街", "东风街", "振兴街", "花园街",
    "工农路", "幸福路", "团结路", "公园路", "站前街", "环城东路", "环城南路", "环城西路", "环城北路", "民主路",
    "育才路", "健康路", "红旗街", "前进路",
)  # fmt: skip
_ESTATE_FIRST: Final = (
    "锦绣", "阳光", "金色", "翠湖", "碧水", "御景", "华府", "盛世", "香樟", "凤凰", "紫薇", "和谐", "康乐", "玉兰",
    "丽景", "星河", "枫林", "观澜", "水岸", "嘉和", "龙腾", "春晓", "秋实", "明珠",
)  # fmt: skip
_ESTATE_LAST: Final = ("花园", "家园", "小区", "公寓", "新村", "苑", "府", "城", "名居", "雅居", "里", "庭")
_ROOMS_PER_FLOOR: Final = 4

_BRAND_FIRST: Final = "恒瑞鑫盛华宏泰安信达启明远航嘉禾诚博众合润丰祥云景天元方正新锐"
_BRAND_SECOND: Final = "隆源通昌和兴顺达利成泽邦科创凯旺铭辉晟茂益佳优捷"
_TRADES: Final = (
    "商贸", "科技", "建筑工程", "物流", "餐饮管理", "机械制造", "电子", "服装", "食品", "装饰工程", "汽车服务",
    "教育咨询", "信息技术", "物业管理", "医疗器械", "纺织", "化工", "广告传媒", "农业发展", "家具", "五金",
    "包装印刷", "旅游服务", "环保科技",
)  # fmt: skip
_FORMS: Final = ("有限公司", "有限公司", "有限公司", "有限责任公司", "股份有限公司")
SELF_EMPLOYED: Final = "个体经营"


def pick_address(rng: Random, region: Region) -> str:
    """`广东省深圳市南山区科技大道118号锦绣花园3栋2单元1204室`."""
    floor = between(rng, 1, 28)
    room = floor * 100 + between(rng, 1, _ROOMS_PER_FLOOR)
    estate = pick(rng, _ESTATE_FIRST) + pick(rng, _ESTATE_LAST)
    house = f"{between(rng, 1, 32)}栋{between(rng, 1, 4)}单元{room}室"
    return f"{region.full_name}{pick(rng, _ROADS)}{between(rng, 1, 499)}号{estate}{house}"


def pick_employer(rng: Random, region: Region) -> str:
    """`深圳恒隆科技有限公司`; a company of this name may exist by chance."""
    brand = pick(rng, _BRAND_FIRST) + pick(rng, _BRAND_SECOND)
    return f"{region.short_city}{brand}{pick(rng, _TRADES)}{pick(rng, _FORMS)}"
