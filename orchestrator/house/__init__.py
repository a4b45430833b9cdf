"""`housemates house`: homes shown, exported and checked."""
