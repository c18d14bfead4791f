"""Files and folders that a Pod or an image may have had a hand in: found and removed safely."""
