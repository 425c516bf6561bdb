//! Requests that are none for a WebSocket: judging them, answering them.

use super::{append, finish, has, server};
use crate::proto::error::Error;
use crate::proto::http::{self, RequestHead};
use crate::proto::page::Page;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A page.
    Get,
    /// What its answer's head would be.
    Head,
    /// Something that no page can do.
    Other,
}

/// A plain request.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// What is asked for.
    pub method: Method,
    /// Of what: the path without its query; empty where the method is none
    /// for a page.
    pub path: String,
    /// The error that it is where a server has no page at all.
    pub instead: Error,
}

/// Whether a request is none for a WebSocket. Of HTTP/1.0 all are: an Upgrade
/// in them is ignored (RFC 9110 7.8).
pub fn is_plain(head: &RequestHead<'_>) -> bool {
    head.minor == 0 || !http::has_token(&head.headers, "Upgrade", "websocket")
}

/// Judges a plain request. HTTP/1.0 knows no Host; where there is one, it is
/// in order (RFC 9112 3.2). One with a body is refused: whoever is in front of
/// us may not agree about where it ends (RFC 9110 9.3.1).
pub fn judge(head: &RequestHead<'_>) -> Result<Request, Error> {
    let method = match head.method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        _ => Method::Other,
    };
    let mut request = Request {
        method,
        path: String::new(),
        instead: match method {
            _ if head.minor == 0 => Error::HttpVersion,
            Method::Get => Error::Upgrade,
            _ => Error::HttpMethod,
        },
    };
    if method == Method::Other {
        return Ok(request);
    }
    let none = head.minor == 0 && http::values(&head.headers, "Host").next().is_none();
    let host = if none {
        ("", None)
    } else {
        server::host(&head.headers)?
    };
    server::check_no_body(&head.headers)?;
    let (target, _) = server::target(head, host)?;
    let (path, _) = target.split_once('?').unwrap_or((target, ""));
    request.path = path.to_owned();
    Ok(request)
}

/// The head of an answer with a page.
///
/// A page may be replaced at any time and has no validator: it is not stored
/// (RFC 9111 5.2.2.5). `headers` are further lines, checked by the config, of
/// which Content-Type is not for pages: each has its own.
#[must_use]
pub fn head_of(page: &Page, headers: &[(String, String)]) -> Vec<u8> {
    let mut out = Vec::new();
    append(
        &mut out,
        &[
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: ",
            page.content_type(),
            &format!("\r\nContent-Length: {}\r\n", page.bytes().len()),
        ],
    );
    for (name, line) in [
        ("Cache-Control", "Cache-Control: no-store\r\n"),
        (
            "X-Content-Type-Options",
            "X-Content-Type-Options: nosniff\r\n",
        ),
    ] {
        if !has(headers, name) {
            append(&mut out, &[line]);
        }
    }
    let own = |line: &&(String, String)| !http::same_text(line.0.as_bytes(), b"Content-Type");
    finish(&mut out, headers.iter().filter(own));
    out
}

/// The answer to a plain request that gets no page: 405 to a method that none
/// has, else 404.
#[must_use]
pub fn without_page(method: Method, headers: &[(String, String)]) -> Vec<u8> {
    match method {
        Method::Other => {
            let mut headers = headers.to_vec();
            if !has(&headers, "Allow") {
                headers.push(("Allow".to_owned(), "GET, HEAD".to_owned()));
            }
            server::refuse(405, &headers, b"pages have the methods GET and HEAD\n")
        }
        Method::Head => server::refuse_to_head(404, headers, NO_PAGE),
        Method::Get => server::refuse(404, headers, NO_PAGE),
    }
}

const NO_PAGE: &[u8] = b"there is no such page\n";
