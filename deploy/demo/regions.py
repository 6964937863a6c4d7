"""Where generated customers live: county-level places of GB/T 2260 with their codes, weighted by rough population."""

from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Final

from deploy.demo.draw import weighted


@dataclass(frozen=True, slots=True)
class Region:
    """A county-level place. `city` is empty where the province is a municipality (直辖市)."""

    code: str
    province: str
    city: str
    district: str

    @property
    def full_name(self) -> str:
        """As an address begins: `广东省深圳市南山区`, `北京市海淀区`."""
        return f"{self.province}{self.city}{self.district}"

    @property
    def short_city(self) -> str:
        """As a company name begins: `深圳`, `北京`."""
        return (self.city or self.province).removesuffix("市").removesuffix("地区")


# Province, its weight (about its share of the population in thousandths), then per city the code and name of districts.
_PLACES: Final = """
北京市 16
 - 110101东城区 110102西城区 110105朝阳区 110106丰台区 110107石景山区 110108海淀区 110111房山区 110112通州区
 - 110114昌平区
天津市 10
 - 120101和平区 120102河东区 120103河西区 120104南开区 120105河北区 120106红桥区 120111西青区 120113北辰区
河北省 53
 石家庄市 130102长安区 130104桥西区 130105新华区
 唐山市 130202路南区 130203路北区
 邯郸市 130402邯山区 130403丛台区
山西省 25
 太原市 140105小店区 140106迎泽区 140107杏花岭区
 运城市 140802盐湖区
内蒙古自治区 17
 呼和浩特市 150102新城区 150103回民区 150105赛罕区
 包头市 150203昆都仑区 150204青山区
辽宁省 30
 沈阳市 210102和平区 210103沈河区 210106铁西区
 大连市 210202中山区 210203西岗区 210204沙河口区
吉林省 17
 长春市 220102南关区 220103宽城区 220104朝阳区
 吉林市 220202昌邑区 220204船营区
黑龙江省 23
 哈尔滨市 230102道里区 230103南岗区 230104道外区
 大庆市 230602萨尔图区
上海市 18
 - 310101黄浦区 310104徐汇区 310105长宁区 310106静安区 310107普陀区 310109虹口区 310110杨浦区 310112闵行区
 - 310115浦东新区
江苏省 60
 南京市 320102玄武区 320104秦淮区 320105建邺区 320106鼓楼区
 无锡市 320205锡山区 320206惠山区
 苏州市 320505虎丘区 320506吴中区 320583昆山市
 徐州市 320302鼓楼区 320303云龙区
浙江省 46
 杭州市 330105拱墅区 330106西湖区 330108滨江区 330109萧山区
 宁波市 330203海曙区 330205江北区 330206北仑区
 温州市 330302鹿城区 330303龙湾区
安徽省 43
 合肥市 340102瑶海区 340103庐阳区 340104蜀山区
 芜湖市 340202镜湖区
福建省 29
 福州市 350102鼓楼区 350103台江区 350104仓山区
 厦门市 350203思明区 350206湖里区 350205海沧区
 泉州市 350502鲤城区 350503丰泽区
江西省 32
 南昌市 360102东湖区 360103西湖区
 赣州市 360702章贡区
山东省 72
 济南市 370102历下区 370103市中区 370104槐荫区
 青岛市 370202市南区 370203市北区 370212崂山区
 烟台市 370602芝罘区
 临沂市 371302兰山区
河南省 70
 郑州市 410102中原区 410103二七区 410105金水区
 洛阳市 410302老城区 410303西工区
 南阳市 411302宛城区
湖北省 41
 武汉市 420102江岸区 420103江汉区 420106武昌区 420111洪山区
 宜昌市 420502西陵区
湖南省 47
 长沙市 430102芙蓉区 430103天心区 430104岳麓区 430105开福区
 衡阳市 430405珠晖区
广东省 89
 广州市 440103荔湾区 440104越秀区 440105海珠区 440106天河区 440111白云区 440113番禺区
 深圳市 440303罗湖区 440304福田区 440305南山区 440306宝安区 440307龙岗区
 佛山市 440604禅城区 440605南海区
 汕头市 440507龙湖区 440511金平区
广西壮族自治区 36
 南宁市 450102兴宁区 450103青秀区
 柳州市 450203鱼峰区
海南省 7
 海口市 460105秀英区 460106龙华区 460108美兰区
重庆市 23
 - 500103渝中区 500105江北区 500106沙坪坝区 500107九龙坡区 500108南岸区 500112渝北区
四川省 59
 成都市 510104锦江区 510105青羊区 510106金牛区 510107武侯区 510108成华区
 绵阳市 510703涪城区
贵州省 27
 贵阳市 520102南明区 520103云岩区
 遵义市 520302红花岗区
云南省 33
 昆明市 530102五华区 530103盘龙区 530111官渡区
 曲靖市 530302麒麟区
西藏自治区 3
 拉萨市 540102城关区
陕西省 28
 西安市 610102新城区 610103碑林区 610104莲湖区 610113雁塔区
 宝鸡市 610302渭滨区
甘肃省 18
 兰州市 620102城关区 620103七里河区
青海省 4
 西宁市 630102城东区 630104城西区
宁夏回族自治区 5
 银川市 640104兴庆区 640106金凤区
新疆维吾尔自治区 18
 乌鲁木齐市 650102天山区 650103沙依巴克区 650104新市区
"""


def _parsed() -> tuple[tuple[Region, ...], tuple[int, ...]]:
    regions: list[Region] = []
    weights: list[int] = []
    province, share = "", 0
    block: list[Region] = []

    def close() -> None:
        # Thousandths are spread over the districts of the province; 1,000 keeps small shares apart.
        weights.extend([share * 1_000 // len(block)] * len(block) if block else [])
        regions.extend(block)

    for line in _PLACES.strip().splitlines():
        first, *rest = line.split()
        if not line.startswith(" "):
            close()
            province, share, block = first, int(rest[0]), []
            continue
        city = "" if first == "-" else first
        block += [Region(code=item[:6], province=province, city=city, district=item[6:]) for item in rest]
    close()
    return tuple(regions), tuple(accumulate(weights))


REGIONS, _CUMULATIVE = _parsed()


def pick_region(rng: Random) -> Region:
    """A place, by weight."""
    return weighted(rng, REGIONS, _CUMULATIVE)
