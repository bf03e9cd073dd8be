"""The moves of an approval case, one life each, each in another district's system: told before any system writes it down.

A life is told line by line: day, time, who, what, and what the step needs (see `mappings/flow.yaml`); departments without a
region are the district's own, `#` gives a step a number of its own. `tells` is what has to follow: by which rule, what, to whom.
"""

from __future__ import annotations

from typing import NamedTuple


class Tale(NamedTuple):
    """`number` and the case's are equal, but for what has no case yet (a visit). `outcome` is empty for what is open."""

    shows: str
    region: str
    number: str
    outcome: str
    steps: str
    tells: str
    space: str = "case"


TALES = (
    Tale(
        "并联 joint approval: parts go out at the acceptance, the lead decides when all have answered",
        "500101", "900001", "granted",
        """
        03-09 09:10 service-hall 申请 HOTEL-01 JOINT COMPANY
        03-09 14:00 commerce 受理
        03-09 14:05 commerce 协办 J1 police
        03-09 14:06 commerce 协办 J2 health
        03-10 09:00 police 签收 J1
        03-10 09:30 health 签收 J2
        03-12 16:00 police 会签 police PASS
        03-13 11:00 health 会签 health PASS
        03-16 10:00 commerce 办结 GRANTED
        03-17 09:30 service-hall 领证 旅101
        03-17 09:40 service-hall 评价 1
        """,
        """
        join part_asked police
        join part_asked health
        hand_across part_handed_over police
        hand_across part_handed_over health
        join all_answered commerce
        """,
    ),
    Tale(
        "并联 joint approval: one refuses, one answers after the decision",
        "500102", "900002", "refused",
        """
        03-09 10:10 service-hall 申请 HOTEL-01 JOINT COMPANY
        03-09 15:00 commerce 受理
        03-09 15:05 commerce 协办 J1 police
        03-09 15:06 commerce 协办 J2 health
        03-10 09:00 police 签收 J1
        03-10 10:00 health 签收 J2
        03-11 16:00 police 会签 police RETURN
        03-20 10:00 commerce 办结 REFUSED 公安不同意
        03-23 09:00 health 会签 health PASS
        """,
        """
        join part_asked police
        join part_asked health
        hand_across part_handed_over police
        hand_across part_handed_over health
        join part_refused commerce
        join all_answered commerce
        join answer_after_decision commerce
        """,
    ),
    Tale(
        "前置联办 preceding joint approval: accepted when the consent is there",
        "500105", "900003", "granted",
        """
        03-09 09:00 industry 申请 CHEM-01 PRECEDING_JOINT COMPANY
        03-10 11:00 emergency 同意 consent PASS
        03-11 09:00 industry 受理
        03-16 15:00 industry 办结 GRANTED
        """,
        """
        precede consent_asked emergency
        precede consents_given industry
        """,
    ),
    Tale(
        "补正 supplement: a second round that the law does not know, papers late both times",
        "500106", "900004", "granted",
        """
        03-05 09:00 service-hall 申请 ROAD-01 PROMISED COMPANY
        03-06 09:00 transport 补正告知 营业执照、车辆清单
        03-18 10:00 service-hall 补正收件
        03-19 09:00 transport 补正告知 从业资格证 2
        03-27 16:00 service-hall 补正收件 2
        03-30 09:00 transport 受理
        04-03 10:00 transport 办结 GRANTED
        """,
        """
        supplement supplement_requested service-hall
        supplement supplement_received transport
        supplement supplement_requested service-hall
        supplement supplement_received transport
        escalate yellow_alert transport
        """,
    ),
    Tale(
        "逾期未补正 supplement: the papers never come, the case lapses",
        "500107", "900005", "lapsed",
        """
        03-05 09:00 service-hall 申请 ROAD-01 PROMISED COMPANY
        03-06 09:00 transport 补正告知 营业执照
        04-03 09:00 transport 逾期未补正 三十日内未补正
        """,
        """
        supplement supplement_requested service-hall
        """,
    ),
    Tale(
        "容缺受理 accepted with gaps: the window collects what is missing",
        "500109", "900006", "granted",
        """
        03-10 09:00 service-hall 申请 FARM-01 PROMISED COMPANY
        03-10 14:00 agriculture 容缺受理 租赁合同
        03-12 10:00 service-hall 补正收件
        03-16 10:00 agriculture 办结 GRANTED
        """,
        """
        gaps gaps_to_fill service-hall
        gaps gaps_filled agriculture
        """,
    ),
    Tale(
        "特别程序, 延长 special procedure of another authority, and an extension",
        "500110", "900007", "granted",
        """
        03-09 09:00 service-hall 申请 SCHOOL-01 PROMISED INSTITUTION
        03-09 15:00 education 受理
        03-11 09:00 health 中止 检测-1 INSPECTION
        03-18 17:00 health 恢复 检测-1
        03-20 09:00 education 延长 10 现场复核
        04-10 10:00 education 办结 GRANTED
        """,
        """
        pause clock_paused education
        pause clock_resumed education
        extend limit_extended service-hall
        """,
    ),
    Tale(
        "撤件 withdrawn: who still works on a part may stop",
        "500111", "900008", "withdrawn",
        """
        03-11 09:00 service-hall 申请 HOTEL-01 JOINT COMPANY
        03-11 14:00 commerce 受理
        03-11 14:05 commerce 协办 J1 police
        03-11 14:06 commerce 协办 J2 health
        03-12 09:00 police 签收 J1
        03-12 09:10 health 签收 J2
        03-16 09:00 health 会签 health PASS
        03-17 10:00 service-hall 撤件 不再开办
        """,
        """
        join part_asked police
        join part_asked health
        hand_across part_handed_over police
        hand_across part_handed_over health
        withdraw stop_work police
        """,
    ),
    Tale(
        "退件 returned: the papers go back through the window",
        "500112", "900009", "returned",
        """
        03-12 09:00 service-hall 申请 ROAD-01 PROMISED COMPANY
        03-12 15:00 transport 受理
        03-16 10:00 transport 退件 不属于本机关职权
        """,
        """
        give_back papers_returned service-hall
        """,
    ),
    Tale(
        "撤销, 重新决定 revoked, and decided anew",
        "500113", "900010", "refused",
        """
        03-05 09:00 service-hall 申请 FARM-01 PROMISED COMPANY
        03-05 14:00 agriculture 受理
        03-10 10:00 agriculture 办结 GRANTED
        03-23 10:00 agriculture 撤销 申请材料虚假
        03-24 09:00 agriculture 重办 OWN_CORRECTION 申请材料虚假
        03-25 10:00 agriculture 办结 REFUSED 申请材料虚假
        """,
        """
        revoke decision_revoked service-hall
        reopen case_reopened service-hall
        revoke decided_anew service-hall
        """,
    ),
    Tale(
        "重新办理 taken up again: the authority above orders it, the limits run anew",
        "500132",
        "900014",
        "granted",
        """
        03-05 09:00 service-hall 申请 FARM-01 PROMISED COMPANY
        03-05 14:00 agriculture 受理
        03-10 10:00 agriculture 退件 不属于本机关职权
        03-12 09:00 agriculture 重办 SUPERIOR 市农业农村委指定管辖
        03-17 10:00 agriculture 办结 GRANTED
        """,
        """
        reopen case_reopened service-hall
        reopen ended_anew service-hall
        """,
    ),
    Tale(
        "更正 corrected: who was handed the case before learns it",
        "500115", "900011", "granted",
        """
        03-09 09:00 service-hall 申请 AIR-DEFENCE-02 HANDED_UP COMPANY
        03-09 15:00 air-defence 受理
        03-11 09:00 air-defence 环节完成 初审 RETURN
        03-11 16:00 air-defence 上报 U1 air-defence@500000
        03-12 09:00 air-defence@500000 签收 U1
        03-12 15:00 air-defence 更正 环节完成 误录为退回
        03-18 10:00 air-defence@500000 办结 GRANTED
        """,
        """
        hand_up handed_up air-defence@500000
        correct corrected air-defence@500000
        """,
    ),
    Tale(
        "关联 linked: a department's own number proves to be this case",
        "500116", "900012", "granted",
        """
        03-16 09:00 service-hall 申请 FARM-01 PROMISED COMPANY
        03-16 10:00 agriculture 本号受理#N-116
        03-18 10:00 agriculture 本号办结#N-116 GRANTED
        03-18 11:00 service-hall 关联 local:N-116 SAME_CASE
        """,
        """
        link number_joined service-hall
        """,
    ),
    Tale(
        "预约, 回访 appointment: called back within two office hours, inspected on the day agreed",
        "500117", "900013", "granted",
        """
        03-10 10:05 industry 预约#YY-117
        03-10 11:30 industry 回访#YY-117 2026-03-12.09:30
        03-12 09:10 service-hall 申请 CHECK-01 PROMISED COMPANY
        03-12 09:11 service-hall 关联 visit:YY-117 APPOINTMENT
        03-12 09:20 industry 受理
        03-12 11:00 industry 环节完成 inspect PASS
        03-13 10:00 industry 办结 GRANTED
        """,
        """
        appointment call_back industry
        appointment visit_fixed service-hall
        """,
    ),
    Tale(
        "未回访 nobody called back within two office hours: the bureau hears it as an alert",
        "500119", "YY-119", "",
        """
        04-15 09:05 industry 预约
        """,
        """
        appointment call_back industry
        escalate yellow_alert industry
        """,
        "visit",
    ),
    Tale(
        "下放 handed down: the city accepts, the district decides",
        "500122", "900015", "granted",
        """
        03-10 09:00 forestry@500000 申请 FELL-01 PROMISED COMPANY
        03-10 10:00 forestry@500000 受理
        03-10 11:00 forestry@500000 下放 D1 forestry
        03-11 09:00 forestry 签收 D1
        03-16 15:00 forestry 办结 GRANTED
        """,
        """
        hand_down handed_down forestry
        """,
    ),
    Tale(
        "逾期视为受理 tacit acceptance: nobody answered the papers in five days",
        "500123", "900016", "",
        """
        04-01 09:00 service-hall 申请 ROAD-01 PROMISED COMPANY
        04-01 15:00 transport 收件
        """,
        """
        deem deemed_accepted transport
        escalate red_alert transport@500000
        """,
    ),
    Tale(
        "升级 escalation: the statutory limit is passed, the authority above hears it",
        "500125", "900017", "",
        """
        03-04 09:00 service-hall 申请 FARM-01 PROMISED COMPANY
        03-04 14:00 agriculture 受理
        """,
        """
        escalate red_alert agriculture@500000
        """,
    ),
    Tale(
        "移交未接收 sent, not received: on its way up, and nobody has signed",
        "500126", "900018", "",
        """
        04-08 09:00 service-hall 申请 AIR-DEFENCE-02 HANDED_UP COMPANY
        04-08 14:00 air-defence 受理
        04-09 16:00 air-defence 上报 U1 air-defence@500000
        """,
        """
        hand_up handed_up air-defence@500000
        escalate yellow_alert air-defence
        """,
    ),
    Tale(
        "取号 one visit to the hall, three departments: its first case",
        "500127", "900019", "granted",
        """
        03-10 09:00 service-hall 取号#B-127 一号厅 三号窗
        03-10 09:11 service-hall 申请 ROAD-01 ON_THE_SPOT NATURAL_PERSON
        03-10 09:11 service-hall 关联 ticket:B-127 TICKET
        03-10 09:21 service-hall 转办 H1 transport
        03-10 09:25 transport 签收 H1
        03-10 09:30 transport 受理
        03-10 10:00 transport 办结 GRANTED
        03-10 10:20 service-hall 领证 运127
        """,
        """
        hand_across handed_across transport
        hall visit_part_done service-hall
        """,
    ),
    Tale(
        "取号 the visit's second case",
        "500127", "900020", "granted",
        """
        03-10 09:12 service-hall 申请 FARM-01 ON_THE_SPOT NATURAL_PERSON
        03-10 09:12 service-hall 关联 ticket:B-127 TICKET
        03-10 09:22 service-hall 转办 H2 agriculture
        03-10 09:26 agriculture 签收 H2
        03-10 09:31 agriculture 受理
        03-10 10:01 agriculture 办结 GRANTED
        03-10 10:20 service-hall 领证 农127
        """,
        """
        hand_across handed_across agriculture
        hall visit_part_done service-hall
        """,
    ),
    Tale(
        "取号 the visit's third case",
        "500127", "900021", "granted",
        """
        03-10 09:13 service-hall 申请 CHECK-01 ON_THE_SPOT NATURAL_PERSON
        03-10 09:13 service-hall 关联 ticket:B-127 TICKET
        03-10 09:23 service-hall 转办 H3 industry
        03-10 09:27 industry 签收 H3
        03-10 09:32 industry 受理
        03-10 10:02 industry 办结 GRANTED
        03-10 10:20 service-hall 领证 检127
        03-10 10:25 service-hall 评价 1
        """,
        """
        hand_across handed_across industry
        hall visit_part_done service-hall
        """,
    ),
)  # fmt: skip

#: The items that only these lives have: name, department, form, who accepts and decides, who assists.
ITEMS = {
    "HOTEL-01": ("开办旅馆", "commerce", "joint", "county", ("police", "health")),
    "CHEM-01": ("危险化学品生产许可", "industry", "preceding_joint", "county", ("emergency",)),
    "ROAD-01": ("道路运输经营许可", "transport", "promised", "county", ()),
    "FARM-01": ("兽药经营许可", "agriculture", "promised", "county", ()),
    "SCHOOL-01": ("民办学校设立", "education", "promised", "county", ()),
    "CHECK-01": ("特种设备检验", "industry", "promised", "county", ()),
    "FELL-01": ("林木采伐许可", "forestry", "promised", "municipal", ()),
}
