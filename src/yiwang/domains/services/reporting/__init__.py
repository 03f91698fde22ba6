"""上报: cases and ratings with the national elements, each row checked before it leaves."""
