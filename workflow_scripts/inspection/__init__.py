"""What drawn pictures show, by a judge's word, and which of them are copies of training pictures."""
