"""Letters that look like Latin ones, and marks that nobody sees; folded or dropped before a text is read.

Source: the letters of Unicode's confusables.txt (UTS 39, mechanism of skeletons) that stand for a single
basic Latin letter, for Cyrillic, Greek, Armenian, Cherokee and the Latin extensions without a decomposition.
Mathematical, circled and full-width letters need no entry: NFKC turns them into plain ones.
"""

_PAIRS = (
    # Cyrillic, small and capital
    "аa бb вb еe ѐe ёe зз иu іi їi јj кk мm нh оo рp сc тt уy хx ѕs ԁd ԛq ԝw һh ӏl ѵv гr пn дd",
    "АA ВB ЕE ЁE ІI ЇI ЈJ КK МM НH ОO РP СC ТT УY ХX ЅS ԌG ԚQ ԜW ҺH ӀI Ѵ\u0056 ЬB ГR ЗЗ",
    # Greek
    "αa βb γy εe ηn ιi κk μu νv οo ρp σo ςs τt υu χx ωw ϲc ϳj ϝf",
    "ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX ϹC ͿJ",
    # Armenian
    "աw ցg զq հh ոn ռn սu օo ՏS ՍU Օ\u004f ԼL ւi յj",
    # Cherokee
    "ᎪA ᏴB ᏟC ᎠD ᎬE ᎢT ᏀG ᎻH ᎫJ ᏦK ᏞL ᎷM ᏢP ᎡR ᏚS ᎳW ᏃZ ᏙV ᎥI",
    # Latin without decomposition: dotless, small capitals, strokes
    "ıi ȷj ɑa ɡg ɩi ɪi ʀr ʏy ʙb ɢg ʜh ʟl ɴn ᴀa ᴄc ᴅd ᴇe ᴊj ᴋk ᴍm ᴏo ᴘp ꜱs ᴛt ᴜu ᴠv ᴡw ᴢz",
    "øo đd łl ħh ŧt ƀb ɨi ʉu ɵo ØO ĐD ŁL ĦH ŦT",
)
FOLDED: dict[int, str] = {
    ord(pair[0]): pair[1]
    for line in _PAIRS
    for pair in line.split()
    if pair[0] != pair[1] and pair[1].isascii()
}
"""Code point of a look-alike to the plain letter."""

BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\uffa0")
"""Characters that print as nothing although Unicode calls them letters, marks or symbols."""
