# The table of scripts/bench: medians over the rounds, and the verdicts. Reads
# lines of: round letter server us-per-message messages-per-second p99-us
# server-percent bottleneck limit connections in-flight bytes. `ours` is the server
# that is judged; the file `idle` is put in as it is.
{
    if (!($2 in seen)) { seen[$2] = 1; letters[++scenarios] = $2 }
    if (!($3 in known)) { known[$3] = 1; names[++servers] = $3 }
    if ($1 > rounds) rounds = $1
    us[$2, $3, $1] = $4; rate[$2, $3, $1] = $5; p99[$2, $3, $1] = $6; percent[$2, $3, $1] = $7
    if ($8 == "ws_load") slow[$2, $3]++
    limit[$2] = $9
    what[$2] = sprintf("%s: %d × %d × %d B", $2, $10, $11, $12)
}

# The median of values[letter, server, 1..rounds]; sets least and most.
function median(values, letter, server,    i, j, held, sorted) {
    for (i = 1; i <= rounds; i++) {
        held = values[letter, server, i] + 0
        for (j = i; j > 1 && sorted[j - 1] > held; j--) sorted[j] = sorted[j - 1]
        sorted[j] = held
    }
    least = sorted[1]; most = sorted[rounds]
    return (sorted[int((rounds + 1) / 2)] + sorted[int(rounds / 2) + 1]) / 2
}

END {
    print "| connections × in flight × bytes | server | CPU µs a message | min–max | of uWebSockets' | messages/s | p99 µs | server's core | ws_load the bottleneck |"
    print "|---|---|---:|---:|---:|---:|---:|---:|---:|"
    for (s = 1; s <= scenarios; s++) {
        letter = letters[s]
        for (n = 1; n <= servers; n++) for (i = 1; i <= rounds; i++) {
            name = names[n]
            # Neighbours in time are compared, whatever else the machine did then.
            ratio[letter, name, i] = us[letter, name, i] / us[letter, "uWebSockets", i]
        }
        for (n = 1; n <= 3; n++) {
            name = n == 1 ? ours : n == 2 ? "uWebSockets" : "libwebsockets"
            middle = median(us, letter, name); range = sprintf("%.3f–%.3f", least, most)
            times[letter, name] = median(ratio, letter, name)
            printf "| %s | %s | %.3f | %s | %.2f | %.0f | %.0f | %.0f %% | %s |\n", n == 1 ? what[letter] : "", name, middle, range,
                times[letter, name], median(rate, letter, name), median(p99, letter, name), median(percent, letter, name),
                slow[letter, name] ? sprintf("%d of %d", slow[letter, name], rounds) : "no"
        }
    }
    print ""
    while ((getline line < idle) > 0) print line
    print ""
    print "```"
    for (s = 1; s <= scenarios; s++) {
        letter = letters[s]
        kept = times[letter, ours] <= limit[letter]
        printf "%s  %s: %s takes %.2f of uWebSockets' CPU time a message, the limit is %.1f\n",
            !judged ? "not judged" : kept ? "ok    " : "MISSED", letter, ours, times[letter, ours], limit[letter]
        if (!kept) missed++
    }
    share = median(percent, "c", "uWebSockets")
    if (share < 60) printf "note: in c a server could use all of its core and got %.0f %% of it: other programs ran\n", share
    print "```"
    exit judged && missed > 0
}
