-- Capture points
-- What was read of each; drops and warnings limit what can be said.
SELECT
    capture_point,
    sum(files)::BIGINT AS files,
    sum(frames)::BIGINT AS frames,
    strftime(min(start_at)::TIMESTAMP, '%Y-%m-%d %H:%M:%S') AS start_utc,
    strftime(max(end_at)::TIMESTAMP, '%Y-%m-%d %H:%M:%S') AS end_utc,
    sum(dropped)::BIGINT AS dropped,
    count(*) FILTER (warnings <> '') AS with_warnings
FROM captures
WHERE shard = 0
GROUP BY capture_point
ORDER BY dropped DESC, with_warnings DESC, frames DESC, capture_point
