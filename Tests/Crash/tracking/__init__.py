"""What the crash tests of tracking are made of: trainers that note what they log, servers and senders that are killed,
and a judge that reads everything back."""
