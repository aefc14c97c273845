"""Terms: allow-lists of header values that may appear in a report unchanged.

Any other value may name a person: a code string accepts any sixteen letters, so checking its form is not
enough.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final


def _terms(text: str) -> frozenset[str]:
    """The words of a text as a set."""
    return frozenset(text.split())


MODALITIES: Final = _terms(
    "AR AU BDUS BI BMD CFM CR CT DG DMS DX EC ECG EPS ES EM FID GM HC HD IO IOL IVOCT IVUS KER LEN LS MG MR "
    "NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS OT PA POS PT PX REG RESP RF RG RTIMAGE SC SM SMR SRF ST TG "
    "US VA XA XAPROTOCOL XC"
)
"""Modalities that produce images, PS3.3, C.7.3.1.1.1."""
VIEWS: Final = _terms(
    "AP PA LL RL LLD LLO RLD RLO LATERAL LAT OBLIQUE FRONTAL SUPINE ERECT DECUBITUS CC MLO ML LM LMO XCC "
    "XCCL XCCM FB SIO ISO CV AT SPECIMEN ANTERIOR POSTERIOR"
)
"""View Position, PS3.3, C.8.1.1 and C.8.11.5, and the codes of mammography, PS3.16, CID 4014."""
LATERALITIES: Final = _terms("R L U B")
"""Right, left, unpaired, both."""
BODY_PARTS: Final = _terms(
    "ABDOMEN ABDOMENPELVIS ADRENAL ANKLE AORTA ARM AXILLA BACK BLADDER BRAIN BREAST BRONCHUS BUTTOCK "
    "CALCANEUS CALF CAROTID CEREBELLUM CERVIX CHEEK CHEST CHESTABDOMEN CHESTABDPELVIS CLAVICLE COCCYX COLON "
    "CORNEA CSPINE DUODENUM EAR ELBOW ESOPHAGUS EXTREMITY EYE FACE FEMUR FINGER FOOT GALLBLADDER HAND HEAD "
    "HEADNECK HEART HIP HUMERUS ILEUM ILIUM JAW JEJUNUM KIDNEY KNEE LARYNX LEG LIVER LSPINE LSSPINE LUNG "
    "MAXILLA MEDIASTINUM MOUTH NECK NOSE ORBIT OVARY PANCREAS PAROTID PATELLA PELVIS PENIS PHARYNX PROSTATE "
    "RECTUM RIB SCALP SCAPULA SCLERA SCROTUM SHOULDER SKULL SPINE SPLEEN SSPINE STERNUM STOMACH TESTIS THIGH "
    "THORAX THUMB THYMUS THYROID TIBIA TLSPINE TOE TONGUE TRACHEA TSPINE UTERUS VAGINA WHOLEBODY WRIST ZYGOMA"
)
"""Body parts, PS3.16, annex L."""
PHOTOMETRIC: Final = _terms(
    "MONOCHROME1 MONOCHROME2 RGB YBR_FULL YBR_FULL_422 YBR_PARTIAL_420 YBR_PARTIAL_422 YBR_ICT YBR_RCT XYB "
    "HSV ARGB CMYK"
) | {"PALETTE COLOR"}
"""Photometric interpretations, PS3.3, C.7.6.3.1.2."""
MANUFACTURERS: Final[Mapping[str, str]] = {
    "agfa": "Agfa",
    "allengers": "Allengers",
    "bk medical": "BK Medical",
    "canon": "Canon",
    "carestream": "Carestream",
    "del medical": "Del Medical",
    "drtech": "DRTECH",
    "esaote": "Esaote",
    "fuji": "Fujifilm",
    "fuji photo film": "Fujifilm",
    "fujifilm": "Fujifilm",
    "ge": "GE",
    "general electric": "GE",
    "hitachi": "Hitachi",
    "hologic": "Hologic",
    "imaging dynamics": "Imaging Dynamics",
    "kitsune medical": "Kitsune Medical",
    "kodak": "Kodak",
    "konica": "Konica Minolta",
    "lorad": "Hologic",
    "mindray": "Mindray",
    "northlight imaging": "Northlight Imaging",
    "philips": "Philips",
    "planmed": "Planmed",
    "samsung": "Samsung",
    "shimadzu": "Shimadzu",
    "siemens": "Siemens",
    "sonosite": "SonoSite",
    "supersonic imagine": "SuperSonic Imagine",
    "swissray": "Swissray",
    "toshiba": "Toshiba",
    "united imaging": "United Imaging",
    "varian": "Varian",
    "veldhoven roentgen": "Veldhoven Roentgen",
    "vieworks": "Vieworks",
}
"""Lower-case start of a manufacturer name → display name. Three are fictitious and used by the phantoms."""
_BEGINS = re.compile("|".join(f"{re.escape(start)}(?![a-z])" for start in MANUFACTURERS))


def listed(value: str, terms: frozenset[str]) -> str:
    """The value if it is one of the terms, else an empty string."""
    return value if value in terms else ""


def known_manufacturer(name: str) -> str:
    """The display name of a known manufacturer, ignoring what follows it in the header; empty if unknown."""
    match = _BEGINS.match(name.strip().lower())
    return MANUFACTURERS[match[0]] if match else ""
