-- Connections that two points saw
-- The same initial sequence numbers of both ends, within an hour; the addresses may differ where one was translated.
WITH oriented AS (
    SELECT
        capture_point, shard, capture, flow, verdict, "by", first_at, last_at, segments_a + segments_b AS segments,
        CASE server WHEN 'b' THEN isn_a ELSE isn_b END AS client_isn,
        CASE server WHEN 'b' THEN isn_b ELSE isn_a END AS server_isn,
        CASE server WHEN 'b' THEN a ELSE b END AS client,
        CASE server WHEN 'b' THEN b ELSE a END AS server,
        CASE "by" WHEN server THEN 'server' WHEN 'between' THEN 'between' WHEN 'a' THEN 'client' WHEN 'b' THEN 'client' END AS ended_by
    FROM flows
    WHERE isn_a IS NOT NULL AND isn_b IS NOT NULL
)
SELECT
    one.client,
    one.server,
    one.capture_point AS point_1,
    one.flow AS flow_1,
    two.capture_point AS point_2,
    two.flow AS flow_2,
    one.verdict AS verdict_1,
    two.verdict AS verdict_2,
    one.ended_by AS ended_by_1,
    two.ended_by AS ended_by_2,
    one.segments AS segments_1,
    two.segments AS segments_2,
    one.client <> two.client OR one.server <> two.server AS translated,
    one.verdict <> two.verdict OR one.ended_by IS DISTINCT FROM two.ended_by AS disagree
FROM oriented AS one
JOIN oriented AS two
    ON one.client_isn = two.client_isn AND one.server_isn = two.server_isn AND one.capture_point < two.capture_point
WHERE abs(epoch(one.first_at) - epoch(two.first_at)) < 3600
ORDER BY disagree DESC, point_1, flow_1, point_2, flow_2
