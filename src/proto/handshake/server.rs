//! The server's side: judging a request, answering it.

use super::{SUBPROTOCOL, append, finish, has, key};
use crate::proto::error::Error;
use crate::proto::http::{self, Header, RequestHead};
use crate::proto::url;

#[cfg(test)]
mod tests;

/// A request that may be accepted.
#[derive(Debug)]
pub struct Request<'h> {
    /// Path and query.
    pub target: &'h str,
    /// The key, valid.
    pub key: &'h [u8],
    /// The subprotocols offered, in the client's order.
    pub subprotocols: Vec<&'h str>,
}

/// Judges a whole head (RFC 6455 4.2.1). `origins` lists the allowed Origins
/// besides the request's own host; `*` allows all.
///
/// The first check that fails names the error: HTTP itself, method, Host,
/// body, target, Upgrade and Connection, version, key, subprotocols, Origin.
/// Sec-WebSocket-Extensions is ignored, as no extension is negotiated
/// (RFC 6455 9.1 lets a server decline them all), and so is Expect: the final
/// answer comes at once, which RFC 9110 10.1.1 allows in place of a 100.
pub fn examine<'h>(head: &'h [u8], origins: &[String]) -> Result<Request<'h>, Error> {
    judge(&http::parse_old_request(head)?, origins)
}

/// As [`examine`], of a head taken apart.
pub(in crate::proto) fn judge<'h>(
    head: &RequestHead<'h>,
    origins: &[String],
) -> Result<Request<'h>, Error> {
    if head.minor != 1 {
        return Err(Error::HttpVersion);
    }
    // Methods are case-sensitive (RFC 9110 9.1).
    if head.method != "GET" {
        return Err(Error::HttpMethod);
    }
    let host = host(&head.headers)?;
    check_no_body(&head.headers)?;
    let (target, host) = target(head, host)?;
    check_upgrade(&head.headers)?;
    if http::unique(&head.headers, "Sec-WebSocket-Version") != Ok(Some(b"13")) {
        return Err(Error::Version);
    }
    let key = match http::unique(&head.headers, "Sec-WebSocket-Key") {
        Ok(Some(key)) if key::is_valid(key) => key,
        _ => return Err(Error::Key),
    };
    let subprotocols = subprotocols(&head.headers)?;
    check_origin(&head.headers, host, origins)?;
    Ok(Request {
        target,
        key,
        subprotocols,
    })
}

/// A host and its port, where one is named.
pub(super) type Host<'h> = (&'h str, Option<u16>);

/// The one Host line (RFC 9112 3.2).
pub(super) fn host<'h>(headers: &[Header<'h>]) -> Result<Host<'h>, Error> {
    let Ok(Some(value)) = http::unique(headers, "Host") else {
        return Err(Error::HttpHost);
    };
    let text = std::str::from_utf8(value).map_err(|_| Error::HttpHost)?;
    url::split_authority(text).ok_or(Error::HttpHost)
}

/// A body would stand where the first frame is expected, and whoever is in
/// front of us may not agree about which it is (RFC 9112 6.3, 11.2).
pub(super) fn check_no_body(headers: &[Header<'_>]) -> Result<(), Error> {
    let mut first = None;
    let mut announced = http::values(headers, "Transfer-Encoding").next().is_some();
    for value in http::values(headers, "Content-Length") {
        for length in http::elements(value) {
            let is_number = !length.is_empty() && length.iter().all(u8::is_ascii_digit);
            if !is_number || first.is_some_and(|first| first != length) {
                return Err(Error::HttpSyntax);
            }
            announced |= first.is_some() || length != b"0";
            first = Some(length);
        }
    }
    if announced {
        Err(Error::HttpBody)
    } else {
        Ok(())
    }
}

/// Path and query of the request target, and the host that it is for: the
/// target's own in absolute form (RFC 9112 3.2.2), the Host line's otherwise.
///
/// A target that begins with two slashes is refused: what resolves it later
/// as a reference would take a host from it.
pub(super) fn target<'h>(
    head: &RequestHead<'h>,
    host: Host<'h>,
) -> Result<(&'h str, Host<'h>), Error> {
    let (path, host) = match url::split_scheme(head.target) {
        Some((scheme, rest)) if is_web(scheme) => {
            let (authority, path) = url::split_target(rest);
            (
                path,
                url::split_authority(authority).ok_or(Error::HttpTarget)?,
            )
        }
        _ => (head.target, host),
    };
    if path.starts_with('/') && !path.starts_with("//") && !path.contains('#') {
        Ok((path, host))
    } else {
        Err(Error::HttpTarget)
    }
}

fn is_web(scheme: &str) -> bool {
    ["http", "https", "ws", "wss"]
        .iter()
        .any(|known| http::same_text(known.as_bytes(), scheme.as_bytes()))
}

/// Without Upgrade it is a request for a page, which 426 answers. With it,
/// a Connection line that does not name it breaks HTTP (RFC 9110 7.8): an
/// intermediary may have passed on what was never meant for us.
fn check_upgrade(headers: &[Header<'_>]) -> Result<(), Error> {
    if !http::has_token(headers, "Upgrade", "websocket") {
        Err(Error::Upgrade)
    } else if !http::has_token(headers, "Connection", "Upgrade") {
        Err(Error::HttpSyntax)
    } else {
        Ok(())
    }
}

/// More subprotocols than this are a mistake or an attack: each is compared
/// with all before it.
const MAX_SUBPROTOCOLS: usize = 128;

/// The subprotocols, which may come in several lines: tokens, no two alike
/// (RFC 6455 4.1, 11.3.4).
fn subprotocols<'h>(headers: &[Header<'h>]) -> Result<Vec<&'h str>, Error> {
    let mut offered: Vec<&str> = Vec::new();
    for value in http::values(headers, SUBPROTOCOL) {
        for element in http::elements(value) {
            let name = std::str::from_utf8(element).map_err(|_| Error::Subprotocol)?;
            let fits = http::is_token(name) && offered.len() < MAX_SUBPROTOCOLS;
            if !fits || offered.contains(&name) {
                return Err(Error::Subprotocol);
            }
            offered.try_reserve(1).map_err(|_| Error::Memory)?;
            offered.push(name);
        }
    }
    Ok(offered)
}

/// Whether a whole head offers this subprotocol.
pub fn offers(head: &[u8], name: &str) -> Result<bool, Error> {
    let head = http::parse_request(head)?;
    let mut offered = http::values(&head.headers, SUBPROTOCOL).flat_map(http::elements);
    Ok(offered.any(|one| one == name.as_bytes()))
}

/// A browser says which page it acts for (RFC 6455 10.2); other programs say
/// nothing, and are let through.
fn check_origin(headers: &[Header<'_>], host: Host<'_>, origins: &[String]) -> Result<(), Error> {
    let Ok(origin) = http::unique(headers, "Origin") else {
        return Err(Error::HttpSyntax);
    };
    let Some(origin) = origin else { return Ok(()) };
    let listed = |entry: &String| {
        let page = web_origin(origin);
        entry == "*"
            || http::same_text(origin, entry.as_bytes())
            || page.is_some() && page == web_origin(entry.as_bytes())
    };
    if is_own(origin, host) || origins.iter().any(listed) {
        Ok(())
    } else {
        Err(Error::Origin)
    }
}

/// The origin of a web page (RFC 6454 4): whether it came over TLS, its host,
/// its port, the default one of its scheme where it names none.
fn web_origin(origin: &[u8]) -> Option<(bool, String, u16)> {
    let (scheme, authority) = url::split_scheme(std::str::from_utf8(origin).ok()?)?;
    let secure = scheme.eq_ignore_ascii_case("https");
    if !secure && !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    let (host, port) = url::split_authority(authority)?;
    let port = port.unwrap_or(url::default_port(secure));
    Some((secure, host.to_ascii_lowercase(), port))
}

/// Whether an origin is the host that the request is for. A Host without a
/// port means the default one of a scheme that we cannot see, as TLS may end
/// in front of us: it fits the default port of either.
fn is_own(origin: &[u8], (host, port): Host<'_>) -> bool {
    web_origin(origin).is_some_and(|(secure, page_host, page_port)| {
        http::same_text(page_host.as_bytes(), host.as_bytes())
            && page_port == port.unwrap_or(url::default_port(secure))
    })
}

/// The 101 answer. `headers` are further lines, checked by the config.
#[must_use]
pub fn accept(key: &[u8], subprotocol: Option<&str>, headers: &[(String, String)]) -> Vec<u8> {
    let mut out = Vec::new();
    append(
        &mut out,
        &[
            "HTTP/1.1 101 Switching Protocols\r\n",
            "Upgrade: websocket\r\n",
            "Connection: Upgrade\r\n",
            "Sec-WebSocket-Accept: ",
        ],
    );
    out.extend_from_slice(&key::accept(key));
    append(&mut out, &["\r\n"]);
    if let Some(subprotocol) = subprotocol {
        append(&mut out, &[SUBPROTOCOL, ": ", subprotocol, "\r\n"]);
    }
    finish(&mut out, headers);
    out
}

/// The status that answers a request which failed with `error`; 500 for what
/// is no failure of a request.
#[must_use]
pub fn refusal_status(error: Error) -> u16 {
    match error {
        Error::HttpSyntax
        | Error::HttpHost
        | Error::HttpBody
        | Error::HttpTarget
        | Error::Key
        | Error::Subprotocol
        | Error::Extension => 400,
        Error::Origin | Error::Refused => 403,
        Error::HttpMethod => 405,
        Error::Timeout => 408,
        Error::Upgrade | Error::Version => 426,
        Error::HttpTooBig => 431,
        Error::Full | Error::Memory | Error::Random | Error::Handles => 503,
        Error::HttpVersion => 505,
        _ => 500,
    }
}

/// A complete refusal: status line, what the status asks for (Allow, Upgrade,
/// Sec-WebSocket-Version), Content-Length, `Connection: close`, the body.
///
/// A body is plain text unless `headers` name its Content-Type. A 304 has no
/// body (RFC 9110 15.4.5). A status outside 300 to 599 is the caller's
/// mistake: it is sent as it is, and no client takes it for a refusal. The
/// body is left out when there is no memory for its copy.
#[must_use]
pub fn refuse(status: u16, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let (mut out, body) = refusal_head(status, headers, body);
    out.extend_from_slice(body);
    out
}

/// As [`refuse`], for a HEAD request: what the body is, without it (RFC 9110
/// 9.3.2).
#[must_use]
pub fn refuse_to_head(status: u16, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    refusal_head(status, headers, body).0
}

/// The head of a refusal, and the body that there is room for behind it.
fn refusal_head<'b>(
    status: u16,
    headers: &[(String, String)],
    body: &'b [u8],
) -> (Vec<u8>, &'b [u8]) {
    let has = |name| has(headers, name);
    let mut out = Vec::new();
    let body = match out.try_reserve(body.len().saturating_add(512)) {
        Ok(()) if status != 304 => body,
        _ => &[],
    };
    append(
        &mut out,
        &[&format!("HTTP/1.1 {status} "), reason(status), "\r\n"],
    );
    if status == 405 && !has("Allow") {
        append(&mut out, &["Allow: GET\r\n"]);
    }
    if status == 426 {
        // RFC 9110 15.5.22, RFC 6455 4.4. The peer may try again on another
        // connection: this one closes.
        append(
            &mut out,
            &[
                "Upgrade: websocket\r\n",
                "Connection: close, Upgrade\r\n",
                "Sec-WebSocket-Version: 13\r\n",
            ],
        );
    } else {
        append(&mut out, &["Connection: close\r\n"]);
    }
    if !body.is_empty() && !has("Content-Type") {
        append(&mut out, &["Content-Type: text/plain; charset=utf-8\r\n"]);
    }
    if status != 304 {
        append(&mut out, &[&format!("Content-Length: {}\r\n", body.len())]);
    }
    finish(&mut out, headers);
    (out, body)
}

/// The reason phrase, which is for people (RFC 9110 15); empty where the
/// status has none that is common.
fn reason(status: u16) -> &'static str {
    match status {
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
