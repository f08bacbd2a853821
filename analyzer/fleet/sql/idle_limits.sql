-- Idle limits of paths
-- Between two hosts, or to a service: all silences up to survived_s were survived, none from died_s on. As with report:
-- three of each kind at least, and those that died did not die at one moment.
WITH trials AS (
    SELECT server_host, client_host, NULL::BIGINT AS server_port, half_closed, died, silence_s, ended_at, capture_point
    FROM silences
    UNION ALL
    SELECT server_host, NULL, server_port, half_closed, died, silence_s, ended_at, capture_point
    FROM silences
)
SELECT
    server_host,
    client_host,
    server_port,
    half_closed = 1 AS half_closed,
    round(max(silence_s) FILTER (died = 0), 3) AS survived_s,
    round(min(silence_s) FILTER (died = 1), 3) AS died_s,
    count(*) FILTER (died = 0) AS survived,
    count(*) FILTER (died = 1) AS died,
    count(DISTINCT capture_point) AS points
FROM trials
GROUP BY ALL
HAVING survived >= 3
    AND died >= 3
    AND max(silence_s) FILTER (died = 0) < min(silence_s) FILTER (died = 1)
    AND epoch(max(ended_at) FILTER (died = 1)) - epoch(min(ended_at) FILTER (died = 1)) > 2
ORDER BY died DESC, server_host, client_host, server_port
