-- Which flows are one connection
-- Flows with the same initial sequence numbers of both ends, begun within an hour, are one connection, which several
-- points saw, or one before and behind a translation; sighting 1 is the flow with most segments. A flow whose handshake
-- was not seen is one of its own.
WITH oriented AS (
    SELECT
        *,
        CASE server WHEN 'b' THEN isn_a ELSE isn_b END AS client_isn,
        CASE server WHEN 'b' THEN isn_b ELSE isn_a END AS server_isn
    FROM flows
    WHERE isn_a IS NOT NULL AND isn_b IS NOT NULL
),
begun AS (
    SELECT
        *,
        coalesce(epoch(first_at) - lag(epoch(first_at)) OVER alike >= 3600, false)::INTEGER AS is_later,
        -- both sides of a translation begin at once, by other names
        coalesce(epoch(first_at) - lag(epoch(first_at)) OVER here > 1 OR (a, b) = lag((a, b)) OVER here, false)::INTEGER
            AS is_another
    FROM oriented
    WINDOW
        alike AS (PARTITION BY client_isn, server_isn ORDER BY first_at, capture_point, shard, capture, flow),
        here AS (PARTITION BY client_isn, server_isn, capture_point ORDER BY first_at, shard, capture, flow)
),
known AS (
    SELECT
        * EXCLUDE (client_isn, server_isn, is_later, is_another),
        concat_ws('-', client_isn, server_isn, sum(is_later) OVER alike, sum(is_another) OVER here) AS connection
    FROM begun
    WINDOW
        alike AS (PARTITION BY client_isn, server_isn ORDER BY first_at, capture_point, shard, capture, flow),
        here AS (PARTITION BY client_isn, server_isn, capture_point ORDER BY first_at, shard, capture, flow)
),
named AS (
    SELECT * FROM known
    UNION ALL
    SELECT *, concat_ws('/', capture_point, shard, capture, flow) AS connection
    FROM flows
    WHERE isn_a IS NULL OR isn_b IS NULL
)
SELECT
    *,
    row_number() OVER (
        PARTITION BY connection ORDER BY segments_a + segments_b DESC, capture_point, shard, capture, flow
    ) AS sighting
FROM named
