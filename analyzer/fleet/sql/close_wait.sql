-- Connections that services hold in CLOSE-WAIT
-- The client sent FIN, the server's program never closed, and its keepalive keeps the connection: a leak, by service.
SELECT
    CASE server WHEN 'a' THEN host_a ELSE host_b END AS service_host,
    CASE server WHEN 'a' THEN port_a ELSE port_b END AS service_port,
    count(*) AS connections,
    sum(probes_after_fin) AS probes_after_fin,
    round(max(last_s - coalesce(fin_a_s, fin_b_s)), 3) AS longest_held_s,
    min(capture_point) AS example_point,
    arg_min(flow, (capture_point, flow)) AS example_flow
FROM (
    -- once, whichever points saw it
    SELECT *
    FROM connections
    WHERE list_contains(string_split(findings, ' '), 'close-wait-held-by-keepalive')
    QUALIFY row_number() OVER (PARTITION BY connection ORDER BY sighting) = 1
)
GROUP BY ALL
ORDER BY connections DESC, service_host, service_port
