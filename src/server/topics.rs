//! Topics of one loop: who subscribes to what.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::Program;
use super::slots::PeerId;
use super::turn::Loop;
use crate::net::queue::Payload;
use crate::proto::Error;
use crate::proto::message::Kind;

/// Who subscribes to what. Both ways, so that neither a message nor a peer's
/// end has to search.
#[derive(Debug, Default)]
pub struct Topics {
    subscribers: HashMap<Arc<str>, Vec<PeerId>>,
    of_peer: HashMap<PeerId, Vec<Arc<str>>>,
}

impl Topics {
    /// Begins a subscription; again is fine.
    pub fn subscribe(&mut self, peer: PeerId, topic: &Arc<str>) -> Result<(), Error> {
        let no_memory = |_| Error::Memory;
        self.of_peer.try_reserve(1).map_err(no_memory)?;
        self.subscribers.try_reserve(1).map_err(no_memory)?;
        let own = self.of_peer.entry(peer).or_default();
        if own.contains(topic) {
            return Ok(());
        }
        own.try_reserve(1).map_err(no_memory)?;
        let all = self.subscribers.entry(Arc::clone(topic)).or_default();
        all.try_reserve(1).map_err(no_memory)?;
        own.push(Arc::clone(topic));
        all.push(peer);
        Ok(())
    }

    /// Ends a subscription; one that never was is fine.
    pub fn unsubscribe(&mut self, peer: PeerId, topic: &str) {
        if let Entry::Occupied(mut own) = self.of_peer.entry(peer) {
            own.get_mut().retain(|one| **one != *topic);
            if own.get().is_empty() {
                own.remove();
            }
        }
        self.leave(peer, topic);
    }

    /// Ends all subscriptions of a peer.
    pub fn forget(&mut self, peer: PeerId) {
        for topic in self.of_peer.remove(&peer).unwrap_or_default() {
            self.leave(peer, &topic);
        }
    }

    fn leave(&mut self, peer: PeerId, topic: &str) {
        if let Some(all) = self.subscribers.get_mut(topic) {
            if let Some(at) = all.iter().position(|one| *one == peer) {
                all.swap_remove(at);
            }
            if all.is_empty() {
                self.subscribers.remove(topic);
            }
        }
    }

    /// A subscriber by its place; `None` behind the last.
    fn subscriber(&self, topic: &str, at: usize) -> Option<PeerId> {
        self.subscribers.get(topic)?.get(at).copied()
    }
}

impl<P: Program> Loop<P> {
    /// Begins, or with `on` false ends, a subscription.
    pub fn subscribe(&mut self, peer: PeerId, topic: &Arc<str>, on: bool) -> Result<(), Error> {
        self.peer(peer)?;
        if on {
            self.topics.subscribe(peer, topic)
        } else {
            self.topics.unsubscribe(peer, topic);
            Ok(())
        }
    }

    /// Sends a message to all that subscribe to `topic`, or to all that are
    /// open. This loop's peers have it queued at once, so that it keeps its
    /// place among what the callback sends them.
    pub fn publish(
        &mut self,
        topic: Option<&str>,
        kind: Kind,
        payload: &[u8],
        except: Option<PeerId>,
    ) -> Result<(), Error> {
        let payload = self.shared.shareable(kind, payload)?;
        let own = Some(self.number);
        let posted = self.shared.post(topic, kind, &payload, except, own);
        self.publish_here(topic, kind, &payload, except);
        posted
    }

    /// Sends a message to all of this loop's peers that subscribe to `topic`,
    /// or to all that are open. It is shared, not copied, where it waits. A
    /// peer with no room for it goes without.
    pub(super) fn publish_here(
        &mut self,
        topic: Option<&str>,
        kind: Kind,
        payload: &Arc<[u8]>,
        except: Option<PeerId>,
    ) {
        let limit = self.shared.settings.send_queue;
        let mut at = 0;
        loop {
            let to = match topic {
                Some(topic) => self.topics.subscriber(topic, at),
                None => match self.peers.get(at) {
                    None => None,
                    Some(peer) => {
                        let open = peer.as_ref().filter(|peer| peer.opened);
                        let Some(peer) = open else {
                            at += 1;
                            continue;
                        };
                        Some(peer.id)
                    }
                },
            };
            let Some(to) = to else { return };
            at += 1;
            if except == Some(to) {
                continue;
            }
            let payload = Payload::Shared(Arc::clone(payload));
            // A peer that is closing, or that has no room, goes without.
            let _ = self.send_payload(to, kind, payload, limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_is_gone_leaves_nothing_behind() {
        let mut topics = Topics::default();
        let (news, rain): (Arc<str>, Arc<str>) = ("news".into(), "rain".into());
        let peers = [PeerId(1), PeerId(2)];
        for peer in peers {
            for topic in [&news, &rain, &news] {
                topics.subscribe(peer, topic).unwrap();
            }
        }
        let all = |topics: &Topics, topic: &str| -> Vec<PeerId> {
            (0..).map_while(|at| topics.subscriber(topic, at)).collect()
        };
        assert_eq!(all(&topics, "news"), peers);
        topics.unsubscribe(peers[0], "rain");
        topics.unsubscribe(peers[0], "rain");
        topics.unsubscribe(peers[0], "snow");
        assert_eq!(all(&topics, "rain"), peers[1..]);
        topics.forget(peers[1]);
        assert_eq!(all(&topics, "news"), peers[..1]);
        assert_eq!(all(&topics, "rain"), []);
        topics.forget(peers[0]);
        assert!(topics.subscribers.is_empty() && topics.of_peer.is_empty());
    }
}
