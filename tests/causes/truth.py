"""The cause that kernels made true in each scenario of captures/recipes/lab/beside.py, for the flow that is probed."""

EXPECTED = {
    "beside_link_down": ("peer-off-link", "proven"),
    "beside_link_down_tcp_only": ("host-silent", "possible", "only-this-flow-forgotten", "filter-drops"),
    "beside_host_down_behind_router": ("host-down-says-last-router", "likely"),
    "beside_host_removed": ("no-route", "proven"),
    "beside_route_removed": ("no-route", "proven"),
    "beside_arp_silent": ("address-gone", "likely"),
    "beside_address_moved": ("address-moved", "proven"),
    "beside_prohibited": ("filter-rejects", "proven"),
    "beside_port_unreachable": ("filter-rejects", "proven"),
    "beside_filter_drops": ("filter-drops", "likely"),
    "beside_forgotten_alone": ("only-this-flow-forgotten", "likely"),
    "beside_all_forgotten": ("all-silent-together", "likely"),
    "beside_service_restarted": ("service-restarted", "likely"),
    "beside_path_mtu": ("path-mtu", "likely"),
    "beside_program_hung": ("program-hung", "likely"),
    "beside_filtered_to_port": ("host-silent", "possible", "only-this-flow-forgotten", "filter-drops"),
    "beside_rebooted": ("host-restarted", "likely"),
    "beside_reset_by_filter": ("reset-from-between", "likely"),
    "beside_conntrack_forgot": ("only-this-flow-forgotten", "likely"),
    "beside_asymmetric_route": ("answers-elsewhere", "likely", "capture-incomplete"),
    "beside_capture_drops": None,
    "beside_stopped_program": ("program-hung", "likely"),
}
"""Code and certainty; behind them what fits as well, where nothing tells. None: nothing ended, and none is claimed."""


def probed(analysis):
    """The first flow that has probes."""
    return next(flow.judged for flow in analysis.flows if flow.judged.record.probes)


def cause(judged):
    """What was concluded, in the same form."""
    if judged.cause is None:
        return None
    return judged.cause.code, judged.cause.certainty.value, *[each.code for each in judged.causes[1:]]
