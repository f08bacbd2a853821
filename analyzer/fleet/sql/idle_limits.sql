-- Idle limits of paths
-- Between two hosts, or to a service: all silences up to survived_s were survived, none from died_s on. As with report:
-- three of each kind at least, and those that died did not die at one moment. Where survived_s is the longer of the two,
-- by an eighth at most, the box is late by so much, and flows well apart from both tell that it has a limit.
WITH once AS (
    -- of a connection that several points saw, the silences of the one with most of it
    SELECT *
    FROM silences
    SEMI JOIN (SELECT capture_point, shard, capture, flow FROM connections WHERE sighting = 1)
        USING (capture_point, shard, capture, flow)
),
trials AS (
    SELECT server_host, client_host, NULL::BIGINT AS server_port, half_closed, died, silence_s, ended_at, capture_point
    FROM once
    UNION ALL
    SELECT server_host, NULL, server_port, half_closed, died, silence_s, ended_at, capture_point
    FROM once
),
doubled AS (
    SELECT *, floor(log2(silence_s * 1e9)) - 2 AS doublings
    FROM trials
),
-- four steps to each doubling of a silence
stepped AS (
    SELECT *, 4 * doublings + floor(silence_s * 1e9 / pow(2, doublings)) AS step
    FROM doubled
),
bounded AS (
    SELECT
        *,
        max(silence_s) FILTER (died = 0) OVER alike AS longest_s,
        min(silence_s) FILTER (died = 1) OVER alike AS shortest_s,
        max(step) FILTER (died = 0) OVER alike AS longest_step,
        min(step) FILTER (died = 1) OVER alike AS shortest_step
    FROM stepped
    WINDOW alike AS (PARTITION BY server_host, client_host, server_port, half_closed)
)
SELECT
    server_host,
    client_host,
    server_port,
    half_closed = 1 AS half_closed,
    round(max(longest_s), 3) AS survived_s,
    round(min(shortest_s), 3) AS died_s,
    count(*) FILTER (died = 0) AS survived,
    count(*) FILTER (died = 1) AS died,
    count(DISTINCT capture_point) AS points
FROM bounded
GROUP BY server_host, client_host, server_port, half_closed
HAVING count(*) FILTER (died = 0) >= 3
    AND count(*) FILTER (died = 1) >= 3
    AND (
        max(longest_s) < min(shortest_s)
        OR (
            max(longest_s) <= min(shortest_s) * 9 / 8
            AND count(*) FILTER (died = 0 AND step < longest_step - 1) >= greatest(3, count(*) FILTER (died = 0) / 4)
            AND count(*) FILTER (died = 1 AND step > shortest_step + 1) >= greatest(3, count(*) FILTER (died = 1) / 4)
        )
    )
    AND epoch(max(ended_at) FILTER (died = 1)) - epoch(min(ended_at) FILTER (died = 1)) > 2
ORDER BY died DESC, server_host, client_host, server_port
