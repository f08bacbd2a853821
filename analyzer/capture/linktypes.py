"""Names of link types, as tcpdump prints them, by the LINKTYPE_ number of the file.

Source: https://www.tcpdump.org/linktypes.html. The names are those of pcap_datalink_val_to_name.
"""

from __future__ import annotations

from typing import Final

NULL: Final = 0
EN10MB: Final = 1
RAW: Final = 101
LINUX_SLL: Final = 113
LINUX_SLL2: Final = 276
"""Those that are made here, or known at sight."""

NAMES: Final = {
    0: "NULL",
    1: "EN10MB",
    6: "IEEE802",
    7: "ARCNET",
    8: "SLIP",
    9: "PPP",
    10: "FDDI",
    12: "RAW",
    14: "RAW",
    50: "PPP_SERIAL",
    51: "PPP_ETHER",
    100: "ATM_RFC1483",
    101: "RAW",
    104: "C_HDLC",
    105: "IEEE802_11",
    107: "FRELAY",
    108: "LOOP",
    113: "LINUX_SLL",
    114: "LTALK",
    117: "PFLOG",
    119: "PRISM_HEADER",
    122: "IP_OVER_FC",
    127: "IEEE802_11_RADIO",
    129: "ARCNET_LINUX",
    143: "DOCSIS",
    144: "LINUX_IRDA",
    163: "IEEE802_11_RADIO_AVS",
    166: "PPP_PPPD",
    187: "BLUETOOTH_HCI_H4",
    189: "USB_LINUX",
    192: "PPI",
    195: "IEEE802_15_4",
    201: "BLUETOOTH_HCI_H4_WITH_PHDR",
    204: "PPP_WITH_DIR",
    209: "IPMB_LINUX",
    220: "USB_LINUX_MMAPPED",
    227: "CAN_SOCKETCAN",
    228: "IPV4",
    229: "IPV6",
    230: "IEEE802_15_4_NOFCS",
    231: "DBUS",
    239: "NFLOG",
    240: "NETANALYZER",
    247: "INFINIBAND",
    248: "SCTP",
    249: "USBPCAP",
    251: "BLUETOOTH_LE_LL",
    252: "WIRESHARK_UPPER_PDU",
    253: "NETLINK",
    254: "BLUETOOTH_LINUX_MONITOR",
    258: "PKTAP",
    259: "EPON",
    271: "VSOCK",
    272: "NORDIC_BLE",
    274: "ETHERNET_MPACKET",
    276: "LINUX_SLL2",
    283: "IEEE802_15_4_TAP",
    290: "Z_WAVE_SERIAL",
}


def link_name(link_type: int) -> str:
    """Return the name of a link type, ``LINKTYPE_n`` where it has none here."""
    return NAMES.get(link_type, f"LINKTYPE_{link_type}")
