-- Connections of which two points tell different ends
-- What only one of them saw was made, lost or dropped between them: keepalive join tells it packet by packet.
SELECT client, server, point_1, flow_1, verdict_1, ended_by_1, point_2, flow_2, verdict_2, ended_by_2
FROM seen_twice
WHERE disagree
ORDER BY point_1, flow_1, point_2, flow_2
